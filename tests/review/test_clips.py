"""Clips: bounded by their headers, shown as a poster and a copy of ours, and never trusted."""

import contextlib
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.exceptions import Invalid
from accounts.models import User
from review import clips, decoding, media_types
from review.clips import MP4, WEBM, ClipLimits
from review.images import UnsupportedType
from review.models import Evidence, EvidenceState, RenditionKind
from review.tasks.renditions import WANTED, make_renditions
from tests.factories import Place, bearer, event_body, post, sha256, sign_in
from tests.review.clips import box, made_mp4, mp4, webm

LIMITS = ClipLimits(pixels=1_000_000, seconds=60, frames=1000)


@pytest.mark.parametrize(("data", "content_type"), [(webm(), WEBM), (mp4(), MP4)])
def test_what_a_real_clip_is(data: bytes, content_type: str) -> None:
    facts = clips.inspect(data, LIMITS)
    assert (facts.content_type, facts.width, facts.height, facts.frames) == (content_type, 160, 120, 20)
    assert facts.duration_s == pytest.approx(2.0, abs=0.15)


def test_a_turned_clip_has_its_upright_size() -> None:
    facts = clips.inspect(made_mp4(width=640, height=480, turned=True), LIMITS)
    assert (facts.width, facts.height) == (480, 640)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (made_mp4(width=16000, height=16000), "too_many_pixels"),
        (made_mp4(seconds=36_000), "clip_too_long"),
        (made_mp4(frames=1_000_000), "clip_too_long"),
        (made_mp4(width=0), "bad_clip"),
        (made_mp4(flags=0), "bad_clip"),
        (box(b"ftyp", b"isom"), "bad_clip"),
        (made_mp4()[:60], "bad_clip"),
        (box(b"ftyp", b"isom") + b"\0\0\0\x08free" * 30_000, "bad_clip"),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 40, "bad_clip"),
        (webm()[:40], "bad_clip"),
        (webm()[:40] + b"\xec\x80" * 200_000, "bad_clip"),
        (webm() + b"\xa3\xff", "bad_clip"),
    ],
)
def test_a_header_that_lies_or_breaks_off_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        clips.inspect(data, LIMITS)
    assert refused.value.code == code


def element(kind: str, content: bytes, *, live: bool = False) -> bytes:
    """An element of a WebM file; a live one does not know its length (RFC 8794, 6.2)."""
    size = b"\x01" + (b"\xff" * 7 if live else len(content).to_bytes(7))
    return bytes.fromhex(kind) + size + content


def test_a_live_recording_has_many_clusters_of_unknown_length() -> None:
    video = element("E0", element("B0", b"\x02\x80") + element("BA", b"\x01\xe0"))
    clusters = [
        element("1F43B675", element("E7", (second * 1000).to_bytes(4)) + element("A3", b"frame") * 10, live=True)
        for second in range(40)
    ]
    tracks = element("1654AE6B", element("AE", video))
    live = element("1A45DFA3", element("4282", b"webm"))
    live += element("18538067", tracks + b"".join(clusters), live=True)
    facts = clips.inspect(live, LIMITS)
    assert (facts.width, facts.height, facts.frames, facts.duration_s) == (640, 480, 400, 39.0)


@pytest.mark.parametrize(
    "data",
    [b"#EXTM3U\nfile:///etc/passwd\n", b"concat:/etc/passwd|x", b"ffconcat version 1.0\nfile /etc/passwd", b"RIFF"],
)
def test_playlists_are_no_clips(data: bytes) -> None:
    with pytest.raises(UnsupportedType):
        media_types.inspect(data)


@settings(max_examples=300, deadline=None)
@given(start=st.sampled_from([webm(), mp4(), made_mp4()]), data=st.data())
def test_any_damage_is_a_fault_with_a_code(start: bytes, data: st.DataObject) -> None:
    changed = bytearray(start[: data.draw(st.integers(8, len(start)))])
    for _change in range(data.draw(st.integers(0, 6))):
        changed[data.draw(st.integers(4, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Invalid, UnsupportedType):
        clips.inspect(bytes(changed), LIMITS)


def test_poster_and_copy_are_ours() -> None:
    for data in (webm(), mp4()):
        hidden = data + b"GPS-CANARY"
        decoded = decoding.decode_clip(hidden, tuple(WANTED.values()))
        assert [(copy.name, copy.width, copy.height) for copy in decoded.copies] == [
            ("thumbnail", 160, 120),
            ("working", 160, 120),
        ]
        copy, width, height = decoding.playable_copy(hidden)
        facts = clips.inspect(copy, LIMITS)
        assert (facts.content_type, width, height) == (WEBM, 160, 120)
        assert facts.frames >= 18
        assert b"CANARY" not in copy


@pytest.mark.parametrize("data", [made_mp4(), webm()[:400]])
def test_what_cannot_be_decoded_says_so(data: bytes) -> None:
    with pytest.raises(decoding.Undecodable):
        decoding.decode_clip(data, tuple(WANTED.values()))


def announced(data: bytes, content_type: str, role: str = "clip") -> dict[str, Any]:
    return {"name": "clip", "role": role, "sha256": sha256(data), "content_type": content_type}


def send(place: Place, data: bytes, content_type: str) -> Any:
    import json

    body = event_body(evidence=[announced(data, content_type)])
    from django.core.files.uploadedfile import SimpleUploadedFile

    parts = {"event": json.dumps(body), "clip": SimpleUploadedFile("c", data, content_type)}
    return Client(raise_request_exception=False).post("/api/v1/events", parts, **bearer(place.token))


def test_a_clip_comes_in_is_shown_and_played(place: Place, supervisor: User) -> None:
    answer = send(place, mp4(), MP4)
    assert (answer.status_code, answer.json()["evidence"]) == (201, {"clip": "stored"})
    evidence = Evidence.objects.get()
    assert evidence.is_clip
    make_renditions.func(str(evidence.pk))
    assert set(evidence.renditions.values_list("kind", flat=True)) == set(RenditionKind.values)
    client = Client()
    sign_in(client, supervisor)
    assert f"/media/{evidence.pk}/clip/" in client.get(f"/events/{answer.json()['id']}/").content.decode()
    played = client.get(f"/media/{evidence.pk}/clip/", headers={"Range": "bytes=0-99"})
    assert (played.status_code, played["Content-Type"], played["Accept-Ranges"]) == (206, "video/webm", "bytes")
    make_renditions.func(str(evidence.pk))
    assert evidence.renditions.count() == 3


def test_another_sites_clip_does_not_exist(place: Place, outsider: User) -> None:
    send(place, webm(), WEBM)
    evidence = Evidence.objects.get()
    make_renditions.func(str(evidence.pk))
    client = Client()
    sign_in(client, outsider)
    assert client.get(f"/media/{evidence.pk}/clip/").status_code == 404


def test_a_clip_that_cannot_be_decoded_is_kept_and_marked(place: Place) -> None:
    assert send(place, made_mp4(), MP4).status_code == 201
    evidence = Evidence.objects.get()
    make_renditions.func(str(evidence.pk))
    evidence.refresh_from_db()
    assert evidence.state == EvidenceState.DAMAGED


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (webm(), MP4, 415, "unsupported_type"),
        (b"#EXTM3U\n", MP4, 415, "unsupported_type"),
        (made_mp4(seconds=36_000), MP4, 422, "clip_too_long"),
        (made_mp4(frames=10**7), MP4, 422, "clip_too_long"),
        (webm(), "video/x-matroska", 415, "unsupported_type"),
    ],
)
def test_what_is_no_clip_of_ours_is_refused(
    place: Place, data: bytes, content_type: str, status: int, code: str
) -> None:
    answer = send(place, data, content_type)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Evidence.objects.exists()


def test_the_desk_shows_what_else_there_is(place: Place, operator: User) -> None:
    from review.desk import payload
    from tests import factories

    data = webm()
    body = event_body(evidence=[announced(data, WEBM), announced(b"x", "image/jpeg", "crop") | {"name": "crop"}])
    post(place, evidence=body["evidence"])
    claim = factories.claim(place, operator)
    from django.utils import timezone

    more = payload(claim, operator, timezone.now())["more"]
    assert [(row["name"], row["state"]) for row in more] == [("clip", "pending"), ("crop", "pending")]
