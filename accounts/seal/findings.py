"""What a verification finds: problems with the entries they are about, bounded in number."""

from dataclasses import dataclass, field
from typing import Any

KEPT = 1000
# A stretch of the log is named by its entries up to this many, a longer one by its ends.
NAMED = 50


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `entry` is the row's id as people write it, several with commas, or None."""

    entry: int | str | None
    problem: str
    code: str
    kind: str | None = None
    index: int | None = None

    def as_json(self) -> dict[str, Any]:
        told = {"entry": self.entry, "problem": self.problem, "code": self.code, "kind": self.kind, "index": self.index}
        return {key: value for key, value in told.items() if value is not None or key == "entry"}


@dataclass
class Findings:
    """The first thousand problems, and how many there were."""

    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(problem)
