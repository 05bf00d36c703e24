"""Every operation by its id, which is the name of its view."""

from typing import Any

from review.api.description import examples as ex
from review.api.description.call import Answer, Call, Content, Example, Parameter
from review.api.description.codes import EVENT, FILE, JSON_BODY
from review.models import Outcome

UNREAD = ("bad_length", "broken_body")
STORE = ("storage_full", "storage_unavailable", "quota_full")
PAGE_ERRORS = ("schema", "bad_cursor")


def header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"}, "example": example}


def one(pk: str, what: str) -> dict[str, Parameter]:
    """The id in a path."""
    return {"pk": Parameter(f"The `id` of the {what}, a UUID.", pk)}


BINARY = {"type": "string", "format": "binary"}
DIGEST = {"sha256": Parameter("Hex SHA-256 of the whole file.", ex.FRAME_SHA256, {"pattern": "^[0-9a-f]{64}$"})}
RANGE = {
    "Content-Range": Parameter(
        "`bytes FIRST-LAST/TOTAL`, when the body is a part of the file.",
        schema={"type": "string", "pattern": "^bytes [0-9]{1,12}-[0-9]{1,12}/[0-9]{1,12}$"},
        place="header",
    )
}
IN_RANGES = {
    "Range": Parameter("`bytes=FIRST-LAST`: one range.", schema={"type": "string"}, place="header"),
    "If-Range": Parameter("The `ETag` of what is there already.", schema={"type": "string"}, place="header"),
    "If-None-Match": Parameter("`ETag`s of what is there already.", schema={"type": "string"}, place="header"),
}
NAMED = {
    "ETag": header("Names these bytes; they never change.", f'"{ex.OTHER_SHA256}"'),
    "Content-Disposition": header("The name to save it under.", 'attachment; filename="manifest.json"'),
}
BYTES = NAMED | {
    "Accept-Ranges": header("`bytes`.", "bytes"),
    "Content-Length": header("How many bytes follow.", "5120"),
}
SAID_RANGE = {"Content-Range": header("Which bytes these are, of how many.", "bytes 0-99/5120")}


def downloads(kind: str) -> tuple[Answer, ...]:
    return (
        Answer(200, "The whole file.", Content(BINARY, kind=kind), BYTES),
        Answer(206, "The range that was asked for.", Content(BINARY, kind=kind), BYTES | SAID_RANGE),
        Answer(304, "You have these bytes already.", headers=NAMED),
        Answer(
            416,
            "The range lies behind the end. No body; `Content-Range` says how long the file is.",
            headers=NAMED | {"Content-Range": header("How long the file is.", "bytes */5120")},
        ),
    )


SOURCES = {
    "get_source": Call(
        "A source asks who it is, and holds back while many of its items are open.",
        (
            Answer(
                200,
                "Who this token is.",
                Content(
                    "SourceState",
                    {
                        "source": Example(
                            "A gateway of a whole site",
                            {"name": "line 3 gateway", "site": "plant-7", "camera": None, "open_items": 12},
                        )
                    },
                ),
            ),
        ),
        source=True,
    ),
    "post_event": Call(
        "One event, alone as JSON, or with the bytes of its pictures as multipart: a part `event` with the JSON, and "
        "one file part per `evidence[].name`. What is not sent here follows by `PUT evidence/{sha256}`.\n\n"
        "It is durable when the answer comes. Repeat it until there is one: source and `event_id` are its key, the "
        "same body again (order and layout of the JSON do not count) is a `duplicate` and changes nothing, except that "
        "it may bring bytes that the first post only announced. A camera, model or class that the site does not know "
        "is no error: the event is kept and waits until somebody says what it stands for.",
        (
            Answer(201, "It is kept.", Content("Taken", ex.CREATED)),
            Answer(200, "It was there already.", Content("Taken", ex.DUPLICATE)),
        ),
        problems=(
            *JSON_BODY,
            *EVENT,
            *FILE,
            *STORE,
            "bad_multipart",
            "evidence_not_announced",
            "event_conflict",
            "source_rate",
            "site_retired",
        ),
        takes=(
            Content("EventIn", ex.EVENTS),
            Content(
                {
                    "type": "object",
                    "required": ["event"],
                    "properties": {"event": {"$ref": "#/components/schemas/EventIn"}},
                    "additionalProperties": BINARY,
                    "description": "`event`, and files named as in `event.evidence`.",
                },
                ex.PARTS,
                "multipart/form-data",
                {"event": {"contentType": "application/json"}},
            ),
        ),
        source=True,
        failing={
            "duplicate_key": ex.DUPLICATE_KEY,
            "schema": ex.BAD_VALUE,
            "digest_mismatch": ex.MISMATCH,
            "event_conflict": ex.CONFLICT,
            "source_rate": ex.TOO_FAST,
        },
    ),
    "post_event_batch": Call(
        "1 to 100 events without files. Each has its own result, in the order of the events, as if it had been posted "
        "alone; evidence follows by `PUT evidence/{sha256}`. Send again what says `retry`, and drop what says "
        "`rejected`.",
        (Answer(200, "What became of each.", Content("BatchTaken", ex.BATCH_RESULTS)),),
        problems=(*JSON_BODY, "site_retired"),
        takes=(Content("BatchIn", ex.BATCH),),
        source=True,
        failing={"duplicate_key": ex.DUPLICATE_KEY},
    ),
    "get_answer": Call(
        "A machine that posted an event with `hold` asks what to do. With `wait` the answer comes as soon as there is "
        "one. The deadline is the server's, and exactly one of verdict and fallback acts.",
        (Answer(200, "How it stands.", Content("HoldAnswer", ex.HOLD_ANSWERS)),),
        problems=("not_found", "not_held", "schema"),
        parameters=one(ex.EVENT, "event, as its post was answered")
        | {"wait": Parameter("Seconds to wait for an answer before `waiting` is said.", 0)},
        source=True,
    ),
    "put_evidence": Call(
        "The bytes that an event of this source announced, as they are: the body is the file, `Content-Type` its type. "
        "With `Content-Range` the body is a part of it; parts follow each other, and with the last one the file is "
        "checked like one that came whole. Where a connection broke off, `GET` says where to go on.",
        (
            Answer(201, "The file is kept.", Content("EvidenceStored", {"whole": Example("Kept", ex.STORED)})),
            Answer(200, "This site has it already.", Content("EvidenceStored", {"again": Example("Known", ex.STORED)})),
            Answer(
                202,
                "The part is kept, and more of it is awaited.",
                Content(
                    "EvidencePartial",
                    {"first_part": Example("Go on at 64", {"status": "partial", "received": ex.FIRST})},
                ),
            ),
        ),
        problems=(*UNREAD, *FILE, *STORE, "not_found", "bad_range", "offset_mismatch"),
        takes=(
            Content(BINARY, ex.FILES, "image/png"),
            *(Content(BINARY, kind=kind) for kind in ("image/jpeg", "image/webp", "video/mp4", "video/webm")),
        ),
        parameters=DIGEST | RANGE,
        source=True,
        failing={"digest_mismatch": ex.MISMATCH, "offset_mismatch": ex.GAP},
    ),
    "get_evidence": Call(
        "Where an upload that broke off goes on. Nothing of the file itself is given back. What was stored and went by "
        "a rule since counts as stored, unless a later event announces it.",
        (
            Answer(
                200,
                "How much has come.",
                Content(
                    "EvidenceAwaited",
                    {
                        "pending": Example("Nothing yet", {"status": "pending", "received": 0}),
                        "partial": Example("Go on at 64", {"status": "partial", "received": ex.FIRST}),
                        "stored": Example("All of it", ex.STORED),
                    },
                ),
            ),
        ),
        problems=("not_found",),
        parameters=DIGEST,
        source=True,
    ),
    "post_counts": Call(
        "What was seen, posted or not, so that rates are honest: totals of an hour so far. A repeat changes nothing, a "
        "larger total replaces a smaller one, and a smaller one that comes late undoes nothing.",
        (Answer(200, "They are kept.", Content("CountsStored", ex.COUNTED)),),
        problems=(*JSON_BODY, "site_retired", "camera_mismatch"),
        takes=(Content("CountsIn", ex.COUNTS),),
        source=True,
        failing={"duplicate_key": ex.DUPLICATE_KEY},
    ),
}
FILTERS = {
    "cursor": Parameter("`next` of the page before; empty for the first page."),
    "site": Parameter("Id or short name of a site.", "plant-7"),
    "camera": Parameter("Short name of a camera.", "line-3-top"),
    "model": Parameter("Name of a model."),
    "class": Parameter("The model's class of the most confident subject.", "bird"),
    "outcome": Parameter(f"What became of the item: {', '.join(Outcome.values)}."),
    "from": Parameter("Received at this time or later, RFC 3339 with a zone."),
    "to": Parameter("Received at this time or earlier."),
    "limit": Parameter("How many at most.", 10),
}
EVENTS = {
    "list_events": Call(
        "Events that the person may see, newest first. Go on with `next` as `cursor`; each event comes once, whatever "
        "is posted meanwhile.",
        (Answer(200, "One page.", Content("EventPage", ex.PAGE)),),
        problems=(*PAGE_ERRORS, "time_out_of_range"),
        parameters=FILTERS,
        scope="events:read",
    ),
    "get_event": Call(
        "The event with its item, its verdicts, its outcome, and how each version of the policy routed it. Reading it "
        "is recorded.",
        (Answer(200, "The event.", Content("EventStory", ex.STORY)),),
        problems=("not_found",),
        parameters=one(ex.EVENT, "event"),
        scope="events:read",
    ),
}
REVIEW = {
    "list_queues": Call(
        "The queues that the person may see, with what waits in them.",
        (
            Answer(
                200,
                "The queues.",
                Content({"type": "array", "items": {"$ref": "#/components/schemas/Queue"}}, ex.QUEUES),
            ),
        ),
        scope="events:read",
    ),
    "post_claim": Call(
        "Takes the most urgent item that is free for this person. Nobody else gets it until the claim ends.",
        (
            Answer(201, "An item.", Content("Claimed", ex.CLAIMED)),
            Answer(200, "There is nothing to do, and why.", Content("NothingToClaim", ex.NOTHING)),
        ),
        problems=("forbidden", "not_found"),
        parameters=one(ex.QUEUE, "queue"),
        scope="review:write",
    ),
    "put_claim": Call(
        "Keeps the claim. One that ran out comes back, as long as nobody took the item over.",
        (
            Answer(
                200,
                "It lasts longer.",
                Content(
                    "ClaimKept",
                    {"kept": Example("Until then", {"expires_at": "2026-11-23T08:20:00.000000+00:00"})},
                ),
            ),
        ),
        problems=("not_found", "claim_lost"),
        parameters=one(ex.CLAIM, "claim"),
        scope="review:write",
    ),
    "delete_claim": Call(
        "Gives the item back, so that others can take it at once. Giving back what is gone already is no error.",
        (Answer(204, "It is free."),),
        problems=("not_found",),
        parameters=one(ex.CLAIM, "claim"),
        scope="review:write",
    ),
    "post_verdict": Call(
        "One answer on a claimed item, effectively once by `key`: the same answer again gets the same body. A late one "
        "counts as long as nobody else took the item over.",
        (
            Answer(201, "The answer counts.", Content("VerdictGiven", ex.GIVEN)),
            Answer(
                200,
                "It counted already.",
                Content("VerdictGiven", {"again": Example("The same answer again", ex.GIVEN["confirm"].value)}),
            ),
        ),
        problems=(
            *JSON_BODY,
            "not_found",
            "claim_lost",
            "stale_version",
            "already_decided",
            "key_reused",
            "unknown_class",
            "unknown_prediction",
            "labels_do_not_confirm",
            "label_outside_frame",
            "box_required",
            "polygon_required",
            "index_mismatch",
            "unknown_attribute",
            "bad_attribute_value",
            "attribute_required",
            "reason_required",
        ),
        takes=(Content("VerdictIn", ex.VERDICTS),),
        parameters=one(ex.ITEM, "item"),
        scope="review:write",
        failing={
            "stale_version": ex.STALE,
            "already_decided": ex.DECIDED,
            "unknown_class": ex.NO_CLASS,
            "index_mismatch": ex.WRONG_INDEX,
            "reason_required": ex.NO_REASON,
        },
    ),
    "list_verdicts": Call(
        "Outcomes that nobody can take back any more, in the order of their numbers. Ask again with the last `cursor`; "
        "nothing is missed, and nothing comes twice. A source gets those of its own events.",
        (Answer(200, "What came after.", Content("OutcomePage", ex.OUTCOMES)),),
        problems=PAGE_ERRORS,
        parameters={
            "after": Parameter("The last `cursor`; empty for the beginning.", schema={"pattern": "^[0-9]{0,18}$"}),
            "limit": Parameter("How many at most.", 100),
        },
        scope="events:read",
        source=True,
    ),
}
RELEASES = {
    "post_release": Call(
        "Freezes the outcomes that the recipe names, and builds a dataset of them in the background.",
        (Answer(202, "It is frozen and being built.", Content("ReleaseBegun", ex.BEGUN)),),
        problems=(
            *JSON_BODY,
            "forbidden",
            "not_found",
            "mixed_sites",
            "mixed_taxonomies",
            "bad_dates",
            "unknown_format",
            "nothing_to_release",
            "number_taken",
            "changed",
        ),
        takes=(Content("RecipeIn", ex.RECIPES),),
        scope="releases:write",
        failing={"nothing_to_release": ex.EMPTY_RELEASE},
    ),
    "list_releases": Call(
        "The 200 newest releases that the person may see.",
        (Answer(200, "Newest first.", Content("ReleasePage", ex.RELEASES)),),
        scope="releases:read",
    ),
    "get_release": Call(
        "How far a release is, what it was made of, and the files that describe it.",
        (Answer(200, "The release.", Content("ReleaseStory", ex.RELEASE_STORY)),),
        problems=("forbidden", "not_found"),
        parameters=one(ex.RELEASE, "release"),
        scope="releases:read",
    ),
    "get_release_file": Call(
        "One file of a release that is ready, by a name that `GET releases/{id}` or the manifest lists. Downloads are "
        "recorded.",
        downloads("application/octet-stream"),
        problems=("forbidden", "not_found"),
        parameters=one(ex.RELEASE, "release")
        | {"name": Parameter("Its name, which may have slashes.", "manifest.json")}
        | IN_RANGES,
        scope="releases:read",
    ),
    "get_release_archive": Call(
        "The whole release as one ZIP, made while it is sent; its bytes are the same each time, so that a download "
        "goes on where it broke off.",
        downloads("application/zip"),
        problems=("forbidden", "not_found"),
        parameters=one(ex.RELEASE, "release") | IN_RANGES,
        scope="releases:read",
    ),
}
CALLS = SOURCES | EVENTS | REVIEW | RELEASES
