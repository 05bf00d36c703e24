"""Answers that may come later: a view says that it has nothing yet, and the server asks it again.

Views are synchronous (ADR 0002). One that would wait marks its response with a `Pause`; on ASGI the handler then waits
without holding a thread, and runs the whole request again when there is a hint, or after a moment: so rights are looked
at again as well. On WSGI nobody waits, and the client, which is told that nothing has come yet, asks again.
"""

from dataclasses import dataclass

from django.http import HttpResponseBase

ATTRIBUTE = "second_look_pause"


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait for a hint in `group`: `most_s` seconds in all, with a look every `look_s` without one."""

    group: str
    most_s: float
    look_s: float = 1.0


def mark(response: HttpResponseBase, pause: Pause) -> None:
    setattr(response, ATTRIBUTE, pause)


def pause_of(response: HttpResponseBase) -> Pause | None:
    """The pause that a view asked for; None for an answer that is one."""
    found: Pause | None = getattr(response, ATTRIBUTE, None)
    return found
