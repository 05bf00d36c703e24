"""What anchors remember: sizes of the log with the roots it had, from files of signed notes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from accounts.anchors.configured import anchors
from accounts.anchors.file import FileAnchor
from accounts.seal.findings import Findings, Problem
from accounts.seal.note import BadNote, Verifier, open_note, split_notes

LONGEST_LINE = 10_000


# A size of the log, and the root that it had.
Mark = tuple[int, bytes]


@dataclass(frozen=True)
class NoteFile:
    """One file of notes: what they say, in their order, and when it was written to last."""

    changed_at: datetime
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Anchored:
    """Roots by size, and the files they come from."""

    roots: dict[int, set[bytes]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    note_files: list[NoteFile] = field(default_factory=list)

    @property
    def last_size(self) -> int | None:
        return max(self.roots, default=None)

    def read(self, path: Path, origin: str | None, known: list[Verifier], findings: Findings) -> None:
        """Add the notes of a file, or of all files of a folder. Raises OSError when it cannot be read."""
        self.files.append(str(path))
        numbers = count(1)
        for file in files_of(path):
            held = NoteFile(datetime.fromtimestamp(file.stat().st_mtime, UTC))
            self.note_files.append(held)
            for note in notes_of(file):
                if mark := self.read_note(note, next(numbers), path, origin, known, findings):
                    held.marks.append(mark)
                    self.roots.setdefault(mark[0], set()).add(mark[1])
        if next(numbers) == 1:
            findings.add(Problem(None, f"The anchor {path} holds no note.", "anchor_empty"))

    def read_note(
        self, note: str, number: int, path: Path, origin: str | None, known: list[Verifier], findings: Findings
    ) -> Mark | None:
        """What a note says about our log; None, and a finding, when it says nothing about it."""
        try:
            said = open_note(last_lines(note), known)
        except BadNote as error:
            findings.add(Problem(None, f"Note {number} of the anchor {path} is not ours: {error}.", "anchor_bad"))
            return None
        if origin is not None and said.origin != origin:
            text = f"Note {number} of the anchor {path} is about another log, {said.origin}."
            findings.add(Problem(None, text, "anchor_bad"))
            return None
        return said.size, said.root


def files_of(path: Path) -> Iterable[Path]:
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def notes_of(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        yield from split_notes(line[:LONGEST_LINE] for line in lines)


def last_lines(note: str) -> str:
    """The note without what a crash left before it: our checkpoints have three lines before the empty one."""
    text, empty, signatures = note.rpartition("\n\n")
    return "\n".join(text.split("\n")[-3:]) + empty + signatures


def configured_files() -> list[Path]:
    """The files among the configured anchors that exist: they are looked at without being named."""
    return [one.path for one in anchors() if isinstance(one, FileAnchor) and one.path.exists()]
