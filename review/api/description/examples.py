"""Bodies of one made-up plant, as its sources send them and as the server answers.

Whoever reads one call after the other follows one story: the ids, names and digests are the same throughout.
"""

from base64 import b64decode, b64encode
from typing import Any

from review.api.description.call import Example
from review.api.description.codes import CODES

SITE = "0197a1b0-11aa-7000-8000-00000000a001"
SOURCE = "0197a1b0-11aa-7000-8000-00000000b001"
QUEUE = "0197a1b0-11aa-7000-8000-00000000c001"
ITEM = "0197a1b2-11aa-7000-8000-00000000d001"
EVENT = "0197a1b2-11aa-7000-8000-00000000e001"
CLAIM = "0197a1b2-11aa-7000-8000-00000000f001"
CLAIM_TOKEN = "7c1f6a52-5d0c-4a51-9d38-2f6c9ad0b771"  # noqa: S105  nobody's
VERDICT = "0197a1b2-11aa-7000-8000-00000000f101"
RELEASE = "0197a1b4-11aa-7000-8000-00000000f201"
POSTED = "0197a1b2-0000-7000-8000-000000000001"
REQUEST = "nN0ayyM7KzYG0J0w"

# A picture of 64 x 48 pixels, and the part of 32 x 32 pixels whose left upper corner lies at (16, 8) in it.
FRAME = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAAAAACEICPDAAAAOUlEQVR42mOMYqAMMDGMGjBqwLAwgAWbILb8sWw0EEcNGDVg1IBRA0aCAYyj"
    "baRRA0YNYGBgYGAAAMHIAhU96xNsAAAAAElFTkSuQmCC"
)
FRAME_SHA256 = "799f50e497308e7bbc8ceffb38841c4a59ddbaed23f6d98e6c94710e506bdf7b"
FRAME_BYTES = 114
CROP = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAKElEQVR42mOMYsAPmBhoroCFgYGBAZs7ltHPDaMKRhUMNgWMgyBvAgC6GwH1"
    "6PKoiwAAAABJRU5ErkJggg=="
)
CROP_SHA256 = "0532e69798f502d19a8c90052daf62fbe67b009ae150d7fb82502cc60a77d95a"
OTHER_SHA256 = "3b1f0c5d8a2e47960b7d5c4e8f9a1b2c3d4e5f60718293a4b5c6d7e8f9012345"
CLIP_SHA256 = "c41d8cd98f00b204e9800998ecf8427e5d41402abc4b2a76b9719d911017c592"

PERSONS = {"name": "person-detector", "version": "1.2.0"}
WIDE = {"width": 1280, "height": 720}
SMALL = {"width": 64, "height": 48}


def frame_file(sha256: str = FRAME_SHA256, content_type: str = "image/png") -> dict[str, Any]:
    return {"name": "frame", "role": "frame", "sha256": sha256, "content_type": content_type}


CROP_FILE = {
    "name": "crop",
    "role": "crop",
    "sha256": CROP_SHA256,
    "content_type": "image/png",
    "offset": [16, 8],
    "scale": 1.0,
}
BIRD = {
    "id": "p1",
    "class": "bird",
    "confidence": 0.42,
    "box": [412.0, 120.5, 88.0, 210.0],
    "alternatives": {"person": 0.31},
    "track": "t17",
}
PERSON = {"id": "p2", "class": "person", "confidence": 0.88, "box": [700.0, 90.0, 120.0, 330.0]}
SMALL_BIRD = {"id": "p1", "class": "bird", "confidence": 0.42, "box": [20.0, 12.0, 20.0, 24.0]}


def event(number: int, **fields: Any) -> dict[str, Any]:
    """An event of camera line-3-top with the fields that every event has; `...` leaves one out."""
    base: dict[str, Any] = {
        "event_id": f"0197a1b2-0000-7000-8000-{number:012d}",
        "captured_at": "2026-11-23T08:15:30.120Z",
        "kind": "unsure",
        "camera": "line-3-top",
        "frame": WIDE,
        "model": PERSONS,
        "task": "detection",
        "predictions": [BIRD],
        "evidence": [],
    }
    return {name: value for name, value in (base | fields).items() if value is not ...}


LATER = event(5, frame=SMALL, predictions=[SMALL_BIRD], subject=["p1"], evidence=[frame_file()])
HELD = event(
    6,
    subject=["p1"],
    action={"name": "line_stop", "done_at": "2026-11-23T08:15:30.150Z"},
    hold={"deadline_s": 8, "fallback": "reject"},
)

EVENTS = {
    "detection": Example(
        "Detection: boxes, and all that a device can say",
        event(
            1,
            model=PERSONS | {"sha256": "5f2b" * 16},
            reporting_floor=0.25,
            thresholds={"person": 0.6},
            predictions=[BIRD, PERSON],
            subject=["p1"],
            flags=["implausible_class"],
            rule="implausible",
            sampling_probability=1.0,
            stamps={"agent": "0.1.0", "config": 7, "boot_id": "b-2026-11-23", "seq": 4711, "clock": "synced"},
            latency_ms={"capture": 4.1, "preprocess": 2.3, "inference": 21.0, "rules": 0.1},
            context={"order": "4711"},
        ),
    ),
    "classification": Example(
        "Classification: predictions without geometry",
        event(
            2,
            model={"name": "scratch-classifier", "version": "2.0"},
            task="classification",
            predictions=[
                {"id": "p1", "class": "scratch", "confidence": 0.52},
                {"id": "p2", "class": "dent", "confidence": 0.37},
            ],
            subject=["p1"],
        ),
    ),
    "segmentation": Example(
        "Segmentation: polygons",
        event(
            3,
            model={"name": "leaf-segmenter", "version": "0.9"},
            task="segmentation",
            predictions=[
                {
                    "id": "p1",
                    "class": "leaf",
                    "confidence": 0.48,
                    "polygon": [[100.0, 80.0], [220.5, 96.0], [240.0, 210.0], [110.0, 190.0]],
                }
            ],
            subject=["p1"],
        ),
    ),
    "several_pictures": Example(
        "Several pictures that follow by PUT: the frame, a redacted crop, a picture of another camera",
        event(
            4,
            subject=["p1"],
            evidence=[
                frame_file("a1b2" * 16, "image/jpeg"),
                CROP_FILE | {"sha256": "b2c3" * 16, "offset": [380, 100], "scale": 2.0, "level": 3},
                {"name": "side", "role": "context", "sha256": "c3d4" * 16, "content_type": "image/webp"},
            ],
        ),
    ),
    "evidence_later": Example("Evidence that comes later: announced here, sent by PUT evidence/{sha256}", LATER),
    "held": Example("Held: a machine waits 8 s for the answer, and rejects the part without one", HELD),
    "clip": Example(
        "A clip with a frame of it",
        event(
            7,
            kind="flagged",
            evidence=[
                frame_file("d4e5" * 16, "image/jpeg"),
                {"name": "clip", "role": "clip", "sha256": CLIP_SHA256, "content_type": "video/mp4"},
            ],
        ),
    ),
    "empty_sample": Example(
        "A random sample in which the model found nothing",
        event(8, kind="sample", predictions=[], sampling_probability=0.001, reporting_floor=0.25),
    ),
    "report": Example("What a person saw and no model", event(9, kind="report", model=..., predictions=[])),
}
# With the bytes of their pictures.
PARTS = {
    "with_picture": Example(
        "One event with its picture",
        {
            "event": event(11, frame=SMALL, predictions=[SMALL_BIRD], subject=["p1"], evidence=[frame_file()]),
            "frame": "the bytes of the file: see x-base64",
        },
        base64={"frame": FRAME},
    ),
    "with_crop": Example(
        "The frame and a crop of it, placed by offset and scale",
        {
            "event": event(
                12, frame=SMALL, predictions=[SMALL_BIRD], subject=["p1"], evidence=[frame_file(), CROP_FILE]
            ),
            "frame": "the bytes of the file: see x-base64",
            "crop": "the bytes of the file: see x-base64",
        },
        base64={"frame": FRAME, "crop": CROP},
    ),
}


def taken(number: int, status: str = "created", **evidence: str) -> dict[str, Any]:
    event_id = f"0197a1b2-0000-7000-8000-{number:012d}"
    return {"id": EVENT, "event_id": event_id, "status": status, "evidence": evidence}


CREATED = {
    "detection": Example("An event without pictures", taken(1)),
    "several_pictures": Example("The pictures are awaited", taken(4, frame="pending", crop="pending", side="pending")),
    "with_picture": Example("The picture came with it", taken(11, frame="stored")),
    "with_crop": Example("Both pictures came with it", taken(12, frame="stored", crop="stored")),
}
DUPLICATE = {"again": Example("The same body again", taken(11, "duplicate", frame="stored"))}

BATCH = {
    "one_bad": Example(
        "Three events, of which the second has a box outside of its frame",
        {
            "events": [
                event(21, predictions=[PERSON], kind="sample", sampling_probability=0.01),
                event(22, predictions=[PERSON | {"box": [1400.0, 90.0, 120.0, 330.0]}]),
                event(23, evidence=[frame_file()]),
            ]
        },
    )
}
BATCH_RESULTS = {
    "one_bad": Example(
        "One bad item costs its neighbours nothing",
        {
            "results": [
                {"event_id": "0197a1b2-0000-7000-8000-000000000021", "status": "created", "id": EVENT},
                {"event_id": "0197a1b2-0000-7000-8000-000000000022", "status": "rejected", "code": "schema"},
                {"event_id": "0197a1b2-0000-7000-8000-000000000023", "status": "created", "id": POSTED},
            ]
        },
    )
}

COUNTS = {
    "an_hour": Example(
        "An hour so far: one class, and the frames alone",
        {
            "counts": [
                {
                    "camera": "line-3-top",
                    "hour": "2026-11-23T08:00:00Z",
                    "model": PERSONS,
                    "class": "person",
                    "histogram": [0, 0, 0, 0, 0, 12, 9, 8, 4, 4, 3, 6, 7, 10, 14, 22, 61, 80, 40, 12],
                    "frames": 36000,
                },
                {"camera": "line-3-top", "hour": "2026-11-23T08:00:00Z", "model": PERSONS, "frames": 36000},
            ]
        },
    )
}
COUNTED = {
    "an_hour": Example("Both rows are new", {"status": "stored", "rows": 2}),
    "again": Example("The same totals again", {"status": "stored", "rows": 0}),
}

FIRST = 64


def part(start: int, stop: int) -> str:
    return b64encode(b64decode(FRAME)[start:stop]).decode()


FILE = "the bytes of the file: see x-base64"
FILES = {
    "whole": Example("The whole file", FILE, base64=FRAME),
    "first_part": Example(
        "The first 64 bytes of a file of 114",
        FILE,
        base64=part(0, FIRST),
        headers={"Content-Range": f"bytes 0-{FIRST - 1}/{FRAME_BYTES}"},
    ),
    "last_part": Example(
        "The rest of it, after the first part",
        FILE,
        base64=part(FIRST, FRAME_BYTES),
        headers={"Content-Range": f"bytes {FIRST}-{FRAME_BYTES - 1}/{FRAME_BYTES}"},
    ),
}
STORED = {"status": "stored"}

# Answers of people

KEY = "4e9c3a0e-6b1f-4c39-8f0a-0d6b1c7e5a10"


def answer(which: str, **fields: Any) -> dict[str, Any]:
    return {"key": KEY, "claim_token": CLAIM_TOKEN, "version": 1, "answer": which} | fields


CORRECTED_BIRD = {"class": "person", "box": [20.0, 12.0, 20.5, 24.0], "prediction": "p1"}
VERDICTS = {
    "confirm": Example("The predictions are right, and nothing is missing", answer("confirm", complete=True)),
    "confirm_subject": Example("Only the subject was judged", answer("confirm", complete=False, seconds=1.8)),
    "correct": Example(
        "The bird is a person, and the model missed a car",
        answer(
            "correct",
            complete=True,
            labels=[CORRECTED_BIRD, {"class": "car", "box": [44.0, 20.0, 16.0, 12.0], "attributes": {"parked": True}}],
            note="Seen through the dirty pane.",
            seconds=6.2,
        ),
    ),
    "correct_sent_back": Example(
        "A label as an answer showed it, with the index of its class",
        answer(
            "correct",
            complete=True,
            labels=[{"class": "bird", "index": 1, "box": [20.0, 12.0, 18.0, 24.0], "attributes": {}}],
        ),
    ),
    "empty": Example("There is nothing", answer("empty")),
    "unsure": Example("Nobody could tell from this picture", answer("unsure", note="Too far away.")),
    "bad_image": Example("The picture is no use", answer("bad_image")),
}
GIVEN = {
    "confirm": Example("The predictions stand", {"id": VERDICT, "outcome": "confirmed"}),
    "correct": Example("The labels stand", {"id": VERDICT, "outcome": "corrected"}),
    "empty": Example("Nothing is there", {"id": VERDICT, "outcome": "empty"}),
}
LABEL = {
    "class": "person",
    "attributes": {},
    "prediction": "p1",
    "box": [20.0, 12.0, 20.5, 24.0],
    "index": 0,
}
HOLD_ANSWERS = {
    "waiting": Example("Nobody has answered yet", {"state": "waiting"}),
    "answered": Example(
        "Somebody answered in time",
        {
            "state": "answered",
            "verdict": {"id": VERDICT, "answer": "correct", "labels": [LABEL], "complete": True, "note": ""},
            "answered_at": "2026-11-23T08:15:34.480000+00:00",
            "by": "olu",
        },
    ),
    "expired": Example("Nobody answered in time: the fallback acts", {"state": "expired"}),
    "withdrawn": Example("Nobody will look: the fallback acts", {"state": "withdrawn"}),
}
EVENT_SHOWN: dict[str, Any] = {
    "id": EVENT,
    "event_id": "0197a1b2-0000-7000-8000-000000000005",
    "site": SITE,
    "source": SOURCE,
    "captured_at": "2026-11-23T08:15:30.120000+00:00",
    "received_at": "2026-11-23T08:15:30.410000+00:00",
    "clock_skewed": False,
    "kind": "unsure",
    "camera": "line-3-top",
    "frame": SMALL,
    "model": PERSONS | {"sha256": None},
    "task": "detection",
    "reporting_floor": None,
    "thresholds": {},
    "predictions": [SMALL_BIRD | {"alternatives": {}, "attributes": {}}],
    "subject": ["p1"],
    "flags": [],
    "rule": None,
    "sampling_probability": None,
    "evidence": [frame_file() | {"offset": [0.0, 0.0], "scale": 1.0, "level": 6, "state": "pending"}],
    "action": None,
    "stamps": {},
    "latency_ms": {},
    "context": {},
    "historical": False,
}
NAMES: dict[str, Any] = {"camera": "line-3-top", "classes": {}}
ITEM_SHOWN: dict[str, Any] = {
    "id": ITEM,
    "queue": QUEUE,
    "state": "open",
    "version": 1,
    "priority": 3,
    "due_at": "2026-11-23T12:15:30.410000+00:00",
    "held_until": None,
    "reason": {
        "rule": "doubtful",
        "explanation": "",
        "policy_version": 1,
        "prediction": "p1",
        "class": "bird",
        "confidence": 0.42,
        "low": 0.25,
        "high": 0.6,
        "sampling_rate": 1.0,
    },
    "sampling_probability": None,
    "outcome": None,
    "decided_at": None,
}
STORY = {
    "event": Example(
        "An event that waits for its answer",
        EVENT_SHOWN
        | {
            "item": ITEM_SHOWN,
            "names": NAMES,
            "hold": None,
            "verdicts": [],
            "outcome": None,
            "parked": [],
            "history": [{"at": "2026-11-23T08:15:30.410000+00:00", "decision": "queued", "rule": "doubtful"}],
        },
    )
}
PAGE = {"page": Example("The last page", {"results": [EVENT_SHOWN], "next": None})}
QUEUES = {
    "queues": Example(
        "One queue",
        [{"id": QUEUE, "site": SITE, "slug": "unsure", "name": "Line 3, doubtful", "open": 1, "claimable": 1}],
    )
}
CLAIMED = {
    "claimed": Example(
        "The most urgent item",
        {
            "claim": {"id": CLAIM, "token": CLAIM_TOKEN, "expires_at": "2026-11-23T08:18:00.000000+00:00"},
            "item": ITEM_SHOWN | {"event": EVENT_SHOWN | {"names": NAMES}},
        },
    )
}
NOTHING = {
    "nothing": Example(
        "What waits is on somebody else's desk",
        {"claim": None, "why": {"claimed_by_others": 1, "not_yours": 0, "snoozed": 0}},
    )
}
OUTCOMES = {
    "page": Example(
        "One outcome",
        {
            "results": [
                {
                    "cursor": "4711",
                    "event_id": "0197a1b2-0000-7000-8000-000000000005",
                    "source": SOURCE,
                    "id": EVENT,
                    "outcome": "corrected",
                    "labels": [LABEL],
                    "at": "2026-11-23T08:16:02.480000+00:00",
                }
            ]
        },
    )
}

# Releases

RECIPES = {
    "everything": Example("All final outcomes of a queue, in every format", {"queues": [QUEUE], "name": "March"}),
    "a_span": Example(
        "Outcomes of a span of time, as COCO",
        {"queues": [QUEUE], "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z", "formats": ["coco"]},
    ),
}
BEGUN = {"everything": Example("It is being built", {"id": RELEASE, "state": "frozen"})}
RELEASE_SHOWN: dict[str, Any] = {
    "id": RELEASE,
    "site": SITE,
    "number": 1,
    "name": "March",
    "state": "ready",
    "done": 1,
    "total": 1,
    "failure": None,
    "created_at": "2026-11-23T09:00:00.000000+00:00",
    "ready_at": "2026-11-23T09:00:04.000000+00:00",
}
RELEASES = {"page": Example("One release", {"results": [RELEASE_SHOWN]})}
RELEASE_STORY = {
    "ready": Example(
        "A release that is ready",
        RELEASE_SHOWN
        | {
            "summary": {"pictures": 1, "classes": {"person": {"train": 1}}, "excluded": {}, "warnings": []},
            "recipe": {"queues": [{"id": QUEUE, "slug": "unsure"}], "formats": ["coco", "yolo"]},
            "files": [{"name": "manifest.json", "size": 5120, "sha256": OTHER_SHA256}],
        },
    )
}


# Problems


def fault(code: str, status: int, title: str, detail: str = "", **members: Any) -> Example:
    body = {
        "type": f"urn:secondlook:{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": REQUEST,
    }
    return Example(CODES[code][1], body | members)


UNUSABLE = "A value cannot be used."
DUPLICATE_KEY = fault(
    "duplicate_key",
    422,
    UNUSABLE,
    'The key "kind" stands there twice.',
    errors=[{"path": "$.kind", "message": "This key stands there twice."}],
)
BAD_VALUE = fault(
    "schema",
    422,
    UNUSABLE,
    "$.predictions[0].confidence: Input should be less than or equal to 1",
    errors=[{"path": "$.predictions[0].confidence", "message": "Input should be less than or equal to 1"}],
)
CONFLICT = fault(
    "event_conflict",
    409,
    "This has changed in the meantime.",
    "This event_id was posted before with another body.",
    id=EVENT,
)
MISMATCH = fault("digest_mismatch", 422, UNUSABLE, "These bytes have another digest.")
TOO_FAST = fault("source_rate", 429, "This source posts faster than it may.", retry_after=7)
GAP = fault("offset_mismatch", 409, "This part does not follow what has come so far.", received=64)
DECIDED = fault(
    "already_decided",
    409,
    "This item has been answered already.",
    current={"state": "decided", "version": 2, "outcome": "confirmed", "labels": [LABEL]},
)
STALE = fault(
    "stale_version",
    409,
    "This item has changed since you opened it.",
    current={"state": "open", "version": 3, "outcome": None},
)
NO_CLASS = fault(
    "unknown_class",
    422,
    UNUSABLE,
    "unicorn is no class of this queue; choose one of its classes.",
    classes=["unicorn"],
)
WRONG_INDEX = fault(
    "index_mismatch",
    422,
    UNUSABLE,
    "This is not the index of the class that the label names.",
    errors=[{"path": "$.labels[0].index", "message": "This is not the index of the class that the label names."}],
)
NO_REASON = fault(
    "reason_required",
    422,
    UNUSABLE,
    "This queue wants a reason for “bad image”.",
    errors=[{"path": "$.note", "message": "This queue wants a reason for “bad image”."}],
)
EMPTY_RELEASE = fault(
    "nothing_to_release",
    422,
    UNUSABLE,
    "No final outcome of these queues and dates can be released.",
    excluded={"unsure": 2},
)
