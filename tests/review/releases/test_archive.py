"""The archive: a ZIP of known size that any reader takes, in any range, and only of a ready release."""

import io
import struct
import zipfile

import pytest

from accounts.exceptions import NotFound
from review.evidence_store import local_path
from review.models import ReleaseState
from review.releases import archive
from review.releases.archive import archive_chunks, archive_size, open_file
from review.releases.store import ReleaseStore


@pytest.fixture
def release(yard):
    for place in range(3):
        yard.outcome(camera="one", at=place)
    return yard.built()


def whole(release, *args):
    return b"".join(archive_chunks(release, *args))


def check(release, data):
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        names = {name.partition("/")[2]: found.read(name) for name in found.namelist()}
    assert names == {row.name: ReleaseStore(release.pk).read(row.name) for row in release.files.all()}
    assert len(data) == archive_size(release)


def test_it_holds_every_file_and_its_size_is_known_beforehand(release):
    data = whole(release)
    check(release, data)
    assert data == whole(release)


def test_every_range_is_that_part_of_the_whole(release, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 100)
    data = whole(release)
    for start in range(0, len(data), 97):
        assert whole(release, start, start + 131) == data[start : start + 131]
    assert whole(release, len(data) - 5) == data[-5:]
    assert whole(release, len(data)) == b""


def test_more_files_than_the_small_record_can_count(release, monkeypatch):
    real = archive.end_records
    monkeypatch.setattr(archive, "end_records", lambda count, size, offset: wide_end(real, count, size, offset))
    data = whole(release)
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        assert len(found.namelist()) == release.files.count()


def wide_end(real, count, size, offset):
    """End records as they are when there are too many files: real ZIP64 ones, and 65535 in the small one."""
    before, archive.MOST_16 = archive.MOST_16, 1
    try:
        data = bytearray(real(count, size, offset))
    finally:
        archive.MOST_16 = before
    data[-14:-10] = b"\xff\xff\xff\xff"
    return bytes(data)


def test_an_entry_beyond_four_gigabytes_is_what_zipfile_expects():
    entry = archive.Entry("a", b"a", 5_000_000_000, 7, 6_000_000_000)
    local, central = entry.local_header(0), entry.central_header(0)
    assert entry.end == 6_000_000_000 + len(local) + 5_000_000_000
    end = archive.end_records(1, len(central), 0)
    with zipfile.ZipFile(io.BytesIO(central + end)) as found:
        info = found.infolist()[0]
    assert (info.file_size, info.compress_size, info.header_offset) == (5_000_000_000, 5_000_000_000, 6_000_000_000)
    assert struct.unpack("<HHQQ", local[-20:]) == (1, 16, 5_000_000_000, 5_000_000_000)


@pytest.mark.parametrize("state", [state for state in ReleaseState if state != ReleaseState.READY])
def test_no_archive_and_no_file_before_it_is_ready(release, state):
    release.state = state
    with pytest.raises(NotFound):
        whole(release)
    with pytest.raises(NotFound):
        archive_size(release)
    with pytest.raises(NotFound):
        open_file(release, "manifest.json")


def test_a_file_that_was_cut_breaks_the_download_off(release):
    path = local_path(ReleaseStore(release.pk).path("lineage.jsonl"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(OSError, match="shorter"):
        whole(release)


def test_a_file_opens_by_its_exact_name_only(release):
    row, file = open_file(release, "data.yaml")
    with file:
        assert len(file.read()) == row.size
    for name in ("", "data.yml", "/etc/passwd", "../data.yaml", "images/../data.yaml", ".staging", "DATA.YAML"):
        with pytest.raises(NotFound):
            open_file(release, name)
