"""A53, M13: archives that lie, explode, or lead outside. Nothing is written but what the file store names itself."""

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from review.models import Event
from review.uploads.archive import ArchiveRefused, Bounds, Member, members, open_archive, read_member
from tests.factories import Place
from tests.review.uploads.files import add, begin, packed, picture, send, work_off

BOUNDS = Bounds(entries=100, total=50_000_000, picture=20_000_000, other=5_000_000)


def look(data: bytes, bounds: Bounds = BOUNDS) -> dict[str, str]:
    """The reason of each entry by its name."""
    return {member.name: member.reason for member in listed(data, bounds)}


def listed(data: bytes, bounds: Bounds = BOUNDS) -> list[Member]:
    file = io.BytesIO(data)
    with open_archive(file, bounds) as archive:
        return list(members(archive, bounds, len(data)))


def refused(data: bytes, bounds: Bounds = BOUNDS) -> str:
    with pytest.raises(ArchiveRefused) as caught:
        look(data, bounds)
    return caught.value.code


def entry(name: str, data: bytes = b"x", *, mode: int = 0, **more: Any) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def archive_of(*entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_entries_that_are_left_out_are_told_by_name_and_their_neighbours_are_read() -> None:
    found = listed(
        archive_of(
            entry("ok/a.jpg", b"good"),
            entry("../up.jpg"),
            entry("a/../../up.jpg"),
            entry("/root.jpg"),
            entry("C:/x.jpg"),
            entry("..\\win.jpg"),
            entry("turned\N{RIGHT-TO-LEFT OVERRIDE}gpj.jpg"),
            entry("line\nbreak.jpg"),
            entry("n" * 300 + ".jpg"),
            entry("link.jpg", b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
            entry("device.jpg", mode=stat.S_IFCHR | 0o666),
            entry("OK/A.jpg"),
            entry("ok/a.jpg"),
            entry("inner.zip"),
            entry("inner.tar.gz"),
            entry("run.exe"),
            entry("__MACOSX/a.jpg"),
            entry("packed.txt", b"x" * 900, compress_type=zipfile.ZIP_LZMA),
        )
    )
    reasons = [member.reason for member in found]
    assert reasons == [
        "",
        *["bad_name"] * 8,
        "link",
        "link",
        "duplicate_name",
        "duplicate_name",
        "nested_archive",
        "nested_archive",
        "not_used",
        "not_used",
        "unknown_compression",
    ]
    assert [member.size for member in found if not member.reason] == [4]


def test_a_name_with_a_nul_is_judged_as_it_is_written() -> None:
    data = archive_of(entry("a_evil.jpg")).replace(b"a_evil.jpg", b"a\0evil.jpg")
    assert list(look(data).values()) == ["bad_name"]


def test_an_encrypted_entry_is_left_out() -> None:
    data = bytearray(archive_of(entry("a.jpg")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert look(bytes(data)) == {"a.jpg": "encrypted"}


def test_a_bomb_is_refused_while_it_unpacks() -> None:
    data = packed({f"{n}.txt": bytes(4_900_000) for n in range(41)})
    assert len(data) < 250_000
    assert refused(data, Bounds(100, 10**9, 10**8, 10**8)) == "bomb"
    assert refused(data, Bounds(100, 20_000_000, 10**8, 10**8)) == "too_many_bytes"


def test_one_entry_that_unpacks_to_too_much_is_left_out() -> None:
    assert look(packed({"big.txt": bytes(5_000_001), "ok.txt": b"1"})) == {"big.txt": "too_large", "ok.txt": ""}


def test_a_size_that_lies_buys_nothing() -> None:
    small = bytearray(packed({"a.txt": bytes(9_000_000)}))
    at = small.index(b"PK\x01\x02")
    small[at + 24 : at + 28] = struct.pack("<L", 10)
    assert look(bytes(small)) == {"a.txt": "unreadable"}
    large = bytearray(packed({"a.txt": b"12345"}))
    at = large.index(b"PK\x01\x02")
    large[at + 24 : at + 28] = struct.pack("<L", 4_000_000)
    assert look(bytes(large))["a.txt"] in {"unreadable", "lying_size"}


def test_a_million_entries_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive_of(*(entry(f"{n}.jpg") for n in range(101)))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert refused(data) == "too_many_files"
    lying = bytearray(archive_of_size(40_000))
    at = lying.rindex(b"PK\x05\x06")
    lying[at + 8 : at + 12] = struct.pack("<HH", 1, 1)
    assert refused(bytes(lying)) == "too_many_files"


def archive_of_size(listed_bytes: int) -> bytes:
    """An archive whose list of entries says that it has so many bytes."""
    return b"\0" * listed_bytes + struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1, 1, listed_bytes, 0, 0)


def test_a_count_of_64_bits_is_read() -> None:
    long = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**6, 10**6, 46 * 10**6, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert refused(long + locator + end) == "too_many_files"
    assert refused(b"x" * 56 + locator + end) == "bad_archive"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", b"x" * 100_000, picture(1)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refused(data) == "bad_archive"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_never_raises_anything_else(data: st.DataObject) -> None:
    whole = bytearray(packed({"a.jpg": picture(1), "b.txt": b"0 0 0 1 1\n" * 40}))
    for _n in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.integers(len(whole) // 2, len(whole))) :]
    try:
        for member in listed(bytes(whole)):
            if not member.reason:
                with open_archive(io.BytesIO(bytes(whole)), BOUNDS) as archive:
                    assert len(read_member(archive, member.number, BOUNDS.of(member.role))) == member.size
    except ArchiveRefused:
        pass


@pytest.mark.django_db
def test_an_archive_that_is_refused_fails_the_upload_and_leaves_nothing(
    place: Place, operator: User, file_store: Path, settings: Any
) -> None:
    settings.SECONDLOOK = settings.SECONDLOOK | {"UPLOAD_BYTES": 300_000}
    job = begin(place, operator)
    add(job, "ok.jpg", picture(1))
    add(job, "bomb.zip", packed({"1.jpg": picture(2), "2.txt": bytes(400_000)}))
    before = {path for path in file_store.parent.rglob("*") if "uploads" not in path.parts}
    send(job, operator)
    job = work_off(job)
    assert (job.state, job.failure) == ("failed", "Unpacked it is larger than one upload may be.")
    assert Event.objects.count() == 0
    assert not job.files.exclude(archive=None).exists()
    assert {path for path in file_store.parent.rglob("*") if "uploads" not in path.parts} == before


@pytest.mark.django_db
def test_a_member_is_left_out_and_the_others_become_events(place: Place, operator: User) -> None:
    job = begin(place, operator)
    data = archive_of(entry("../up.jpg", picture(1)), entry("a.jpg", picture(2)), entry("b.jpg", b"no picture"))
    add(job, "set.zip", data)
    send(job, operator)
    assert work_off(job).state == "done"
    assert [event.context["file"] for event in Event.objects.all()] == ["a.jpg"]
    assert dict(job.files.exclude(reason="").values_list("name", "reason")) == {
        "../up.jpg": "bad_name",
        "b.jpg": "unsupported_type",
    }
