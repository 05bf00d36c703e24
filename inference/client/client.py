"""The client itself: one method for each call of a source."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from uuid6 import uuid7

from inference.client.exceptions import BadAnswer, BadInput, Refused
from inference.client.picture import Picture, picture_of
from inference.client.prediction import Plain, Prediction, task_of
from inference.client.transport import Transport

# Files above this go in parts, so that a connection that breaks costs one part and not the whole.
PART_BYTES = 4 * 2**20
MOST_BATCH = 100


@dataclass(frozen=True, slots=True)
class Posted:
    """What the server answered: its own opaque `id`, `created` or `duplicate`, and the state of each evidence."""

    id: str
    event_id: str
    status: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Any) -> Self:
        """From an answer. A newer server may say more than this client knows; that is left out. Raises BadAnswer."""
        known = {one.name for one in fields(cls)}
        if not isinstance(answer, Mapping) or known - {"evidence"} - answer.keys():
            raise BadAnswer("the answer is none of Second Look's: is the address right?")
        return cls(**{name: value for name, value in answer.items() if name in known})


class Client:
    """Posts for one source. Each call is repeated until there is an answer, and counts once all the same.

    `tries` bounds the repeats; between two of them lies a random wait that grows to 30 s, or what the server asks for.
    """

    def __init__(self, server: str, token: str, *, timeout_s: float = 30.0, tries: int = 8) -> None:
        self.transport = Transport(server, token, timeout_s=timeout_s, tries=tries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.transport.close()

    def post(
        self,
        picture: Any = None,
        *,
        model: tuple[str, str] | tuple[str, str, str] | None = None,
        predictions: Sequence[Prediction | Plain] = (),
        kind: str | None = None,
        frame: tuple[int, int] | None = None,
        colour: str = "bgr",
        more: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Posted:
        """Post one event about one picture.

        `picture`: a path, the bytes of a file, or an array in `colour` order; without one `frame` says (width, height).
        `model`: name, version and perhaps the SHA-256 of its file; None for something that a person reports.
        `kind`: "unsure" unless said otherwise, "report" without a model. `more`: further pictures by name.
        `fields`: any other field of the contract, such as `camera`, `subject`, `context`, `hold`, `reporting_floor`.
        Raises BadInput before anything is sent, Refused, Unreachable.
        """
        shown = {"frame": picture_of(picture, colour=colour)} if picture is not None else {}
        shown |= {name: picture_of(one, colour=colour) for name, one in (more or {}).items()}
        body = event_body(
            pictures=shown, model=model, predictions=[Prediction.of(one) for one in predictions], kind=kind, frame=frame
        )
        return self.post_event(body | plain(fields), {name: one.data for name, one in shown.items()})

    def post_event(self, event: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> Posted:
        """Post an event as the contract has it, with the bytes of its evidence by name."""
        if not files:
            answer = self.transport.call("POST", "events", json=dict(event))
        else:
            parts: dict[str, Any] = {"event": (None, json.dumps(dict(event)), "application/json")}
            parts |= {name: (name, data) for name, data in files.items()}
            answer = self.transport.call("POST", "events", files=parts)
        try:
            said = answer.json()
        except ValueError:
            said = None
        return Posted.of(said)

    def batch(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Post events without files, 100 at a time; the result of each, in order. Evidence follows with `put`."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(events), MOST_BATCH):
            body = {"events": [dict(event) for event in events[start : start + MOST_BATCH]]}
            results += self.transport.call("POST", "events/batch", json=body).json()["results"]
        return results

    def put(self, data: bytes, content_type: str, *, sha256: str) -> str:
        """Send the bytes of evidence that an event announced, in parts when they are many; "stored" once all are there.

        Goes on where an earlier try broke off.
        """
        path, headers = f"evidence/{sha256}", {"Content-Type": content_type}
        if len(data) <= PART_BYTES:
            return str(self.transport.call("PUT", path, content=data, headers=headers).json()["status"])
        state = self.transport.call("GET", path).json()
        while state["status"] != "stored":
            # A server that had all of it and could not store it then is told the last byte again.
            at = min(int(state.get("received", 0)), len(data) - 1)
            stop = min(at + PART_BYTES, len(data))
            said = {"Content-Range": f"bytes {at}-{stop - 1}/{len(data)}"}
            try:
                state = self.transport.call("PUT", path, content=data[at:stop], headers=headers | said).json()
            except Refused as error:
                if error.code != "offset_mismatch":
                    raise
                state = {"status": "partial", "received": error.problem["received"]}
        return "stored"

    def answer(self, event: Posted | str, *, wait_s: float = 8.0) -> dict[str, Any]:
        """Wait for the answer to an event that was posted with `hold`: `state` and, once answered, the verdict.

        The server owns the deadline; `waiting` means that neither it nor an answer has come yet.
        """
        pk = event.id if isinstance(event, Posted) else event
        path = f"events/{pk}/answer"
        answer = self.transport.call("GET", path, params={"wait": wait_s}, timeout=wait_s + 30).json()
        return dict(answer)

    def counts(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """Tell totals of what was seen, hour by hour; how many were new or larger."""
        answer = self.transport.call("POST", "counts", json={"counts": [dict(row) for row in rows]})
        return int(answer.json()["rows"])


def event_body(
    *,
    pictures: Mapping[str, Picture],
    model: tuple[str, ...] | None,
    predictions: Sequence[Prediction],
    kind: str | None,
    frame: tuple[int, int] | None,
) -> dict[str, Any]:
    """An event as the contract has it, made now. Raises BadInput."""
    size = (pictures["frame"].width, pictures["frame"].height) if "frame" in pictures else frame
    if size is None:
        raise BadInput("without a picture, say the frame's (width, height)")
    if model is None and predictions and kind != "report":
        raise BadInput("predictions come from a model: say its (name, version)")
    body: dict[str, Any] = {
        "event_id": str(uuid7()),
        "captured_at": datetime.now(UTC).isoformat(),
        "kind": kind or ("unsure" if model else "report"),
        "frame": {"width": size[0], "height": size[1]},
        "task": task_of(predictions),
        "predictions": [one.document(number) for number, one in enumerate(predictions, 1)],
        "evidence": [evidence_of(name, picture) for name, picture in pictures.items()],
    }
    if model is not None:
        body["model"] = dict(zip(("name", "version", "sha256"), model, strict=False))
    return body


def evidence_of(name: str, picture: Picture) -> dict[str, Any]:
    role = "frame" if name == "frame" else "context"
    return {"name": name, "role": role, "sha256": picture.sha256, "content_type": picture.content_type}


def plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of the contract as JSON has them: times and ids as text; what is None is left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    for name, value in given.items():
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise BadInput(f"{name}: a time needs a zone")
            given[name] = value.isoformat()
        elif isinstance(value, UUID):
            given[name] = str(value)
    return given
