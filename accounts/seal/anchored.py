"""What anchors remember: sizes of the log with the roots it had, from files of signed notes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from accounts.anchors.configured import anchors
from accounts.anchors.file import FileAnchor
from accounts.seal.findings import Findings, Problem
from accounts.seal.note import BadNote, Verifier, open_note, split_notes

LONGEST_LINE = 10_000


@dataclass
class Anchored:
    """Roots by size, and the files they come from."""

    roots: dict[int, set[bytes]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def last_size(self) -> int | None:
        return max(self.roots, default=None)

    def read(self, path: Path, origin: str | None, known: list[Verifier], findings: Findings) -> None:
        """Add the notes of a file, or of all files of a folder. Raises OSError when it cannot be read."""
        self.files.append(str(path))
        found = 0
        for number, note in enumerate(notes_of(path), start=1):
            found += 1
            try:
                said = open_note(last_lines(note), known)
            except BadNote as error:
                findings.add(Problem(None, f"Note {number} of the anchor {path} is not ours: {error}.", "anchor_bad"))
                continue
            if origin is not None and said.origin != origin:
                text = f"Note {number} of the anchor {path} is about another log, {said.origin}."
                findings.add(Problem(None, text, "anchor_bad"))
                continue
            self.roots.setdefault(said.size, set()).add(said.root)
        if not found:
            findings.add(Problem(None, f"The anchor {path} holds no note.", "anchor_empty"))


def notes_of(path: Path) -> Iterator[str]:
    files: Iterable[Path] = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    for one in files:
        with one.open(encoding="utf-8", errors="replace") as lines:
            yield from split_notes(line[:LONGEST_LINE] for line in lines)


def last_lines(note: str) -> str:
    """The note without what a crash left before it: our checkpoints have three lines before the empty one."""
    text, empty, signatures = note.rpartition("\n\n")
    return "\n".join(text.split("\n")[-3:]) + empty + signatures


def configured_files() -> list[Path]:
    """The files among the configured anchors that exist: they are looked at without being named."""
    return [one.path for one in anchors() if isinstance(one, FileAnchor) and one.path.exists()]
