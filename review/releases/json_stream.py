"""Reading one member of a large JSON document without holding the document: RFC 8259, top level an object."""

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any

CHUNK = 1 << 16
LOOK_AHEAD = len("e-5")
SPACE = " \t\n\r"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


DECODER = json.JSONDecoder(parse_constant=_refuse)


def elements(file: IO[bytes], key: str) -> Iterator[Any]:
    """The elements of the array under `key`, one by one; the document is read to its end.

    Raises ValueError when the document is broken, has no such member, or the member is no array.
    """
    reader = _Reader(file)
    seen = False
    for name in reader.members():
        if name == key:
            seen = True
            yield from reader.array()
        else:
            reader.skip()
    if not seen:
        raise ValueError(f"there is no {key!r}")


def value(file: IO[bytes], key: str) -> Any:
    """The member `key`, read up to there only. Raises ValueError when the document is broken or has no such member."""
    reader = _Reader(file)
    for name in reader.members():
        if name == key:
            return reader.value()
        reader.skip()
    raise ValueError(f"there is no {key!r}")


class _Reader:
    """A cursor in a text of which only the part around the cursor is held."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.text = ""
        self.place = 0
        self.ended = False

    def more(self) -> None:
        """Hold more of the text, at least as much again as is held."""
        chunk = self.file.read(max(CHUNK, len(self.text) - self.place))
        self.text = self.text[self.place :] + self.decoder.decode(chunk, final=not chunk)
        self.place, self.ended = 0, not chunk

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self.place < len(self.text) and self.text[self.place] in SPACE:
                self.place += 1
            if self.place < len(self.text):
                return self.text[self.place]
            if self.ended:
                return ""
            self.more()

    def take(self, *expected: str) -> str:
        found = self.peek()
        if found not in expected or not found:
            raise ValueError(f"expected one of {expected}, found {found!r}")
        self.place += 1
        return found

    def value(self) -> Any:
        """The value at the cursor, which moves behind it."""
        self.peek()
        while True:
            try:
                found, end = DECODER.raw_decode(self.text, self.place)
            except json.JSONDecodeError:
                if self.ended:
                    raise
            else:
                # A number near the end of what is held may go on: "1" may turn out to be "1.5" or "1e-5".
                if end + LOOK_AHEAD <= len(self.text) or self.ended:
                    self.place = end
                    return found
            self.more()

    def array(self) -> Iterator[Any]:
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.take(",", "]") == "]":
                return

    def skip(self) -> None:
        """Pass over the value at the cursor; an array is passed over element by element."""
        if self.peek() == "[":
            for _element in self.array():
                pass
        else:
            self.value()

    def members(self) -> Iterator[str]:
        """The keys of the object at the cursor; the caller takes or skips each value."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
        else:
            while True:
                name = self.value()
                self.take(":")
                yield str(name)
                if self.take(",", "}") == "}":
                    break
        if self.peek():
            raise ValueError("there is more after the end")
