"""Output drivers: what a rule's action does. A driver is one class here and one line in `DRIVERS`.

`fire` is called in the main loop and must return at once; a driver that talks to a network hands over to a thread.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from inference.edge import clock, log
from inference.edge.config import OutputConfig, RuleConfig


class Output(Protocol):
    """Something that acts."""

    @property
    def name(self) -> str:
        """As rules call it."""
        ...

    def fire(self, rule: str) -> None:
        """Act now."""
        ...


@dataclass(frozen=True, slots=True)
class Simulator:
    """Acts on nothing; the log shows when it would have."""

    name: str

    def fire(self, rule: str) -> None:
        """See `Output.fire`."""
        log.write("action", output=self.name, driver="simulator", rule=rule)


DRIVERS: dict[str, type[Simulator]] = {"simulator": Simulator}


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was taken."""

    name: str
    done_at: datetime


class Actions:
    """Fires the outputs of rules: once when a rule begins to hold, again only after its `rearm_s`."""

    def __init__(self, outputs: tuple[OutputConfig, ...]) -> None:
        self.fired = 0
        self.too_old = 0
        self._outputs: dict[str, Output] = {output.name: DRIVERS[output.driver](output.name) for output in outputs}
        self._last_held: dict[str, float] = {}

    def act(self, rules: list[RuleConfig], monotonic_s: float, *, fresh: bool) -> Done | None:
        """Fire what the rules that hold ask for; nothing when the frame is not `fresh`. The first action, or None."""
        first: Done | None = None
        for rule in rules:
            if rule.action is None or not self._begins(rule, monotonic_s, fresh):
                continue
            self._outputs[rule.action].fire(rule.name)
            self.fired += 1
            first = first or Done(rule.action, clock.now())
        return first

    def _begins(self, rule: RuleConfig, monotonic_s: float, fresh: bool) -> bool:
        if not fresh:
            self.too_old += 1
            return False
        last = self._last_held.get(rule.name)
        self._last_held[rule.name] = monotonic_s
        return last is None or monotonic_s - last > rule.rearm_s
