"""Decoding of pictures from outside, where a crash or a memory bomb costs a child process and nothing else."""

import contextlib
import io
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as Late
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import django
from django.conf import settings
from PIL import Image

from review import clip_copies, images

TIME_S = 30
MEMORY_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy to make: its longest side in pixels and its JPEG quality."""

    name: str
    longest_px: int
    quality: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as JPEG bytes, with its size in pixels."""

    name: str
    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """The copies that were wanted, and the average colour as `#rrggbb`."""

    copies: tuple[Copy, ...]
    colour: str


class Undecodable(ValueError):
    """The bytes cannot be decoded; the message says why, in a few words."""


class ChildFailed(RuntimeError):
    """The decoding process crashed or hung."""


class DecoderBroken(RuntimeError):
    """No picture can be decoded here: the task fails and is taken up again, and no picture is blamed."""


def decode(data: bytes, wanted: tuple[Wanted, ...]) -> Decoded:
    """Decode a picture and make its copies. Raises as `with_picture` does."""
    return with_picture(copies, data, wanted)


def decode_clip(data: bytes, wanted: tuple[Wanted, ...]) -> Decoded:
    """The copies of a clip's first frame. Raises as `with_picture` does."""
    return with_picture(poster, data, wanted)


def playable_copy(data: bytes) -> tuple[bytes, int, int]:
    """A clip as WebM that carries nothing but its frames, with width and height. Raises as `with_picture` does."""
    return with_picture(clip_copies.playable, data)


def upright_copy(data: bytes, quality: int) -> bytes:
    """The whole picture as an upright JPEG without metadata or chroma subsampling. Raises as `with_picture` does."""
    return with_picture(encode_upright, data, quality)


def coded_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a picture whose coded data is read to its end. Raises as `with_picture` does."""
    return with_picture(measure, data)


def with_picture[*More, T](work: Callable[[bytes, *More], T], data: bytes, *more: *More) -> T:
    """What `work` makes of a picture from outside, in the child unless the settings say otherwise.

    Raises Undecodable, also when the decoder crashed, hung or ran out of memory over this picture. A
    decoder that cannot decode a good picture either is no fault of the picture: DecoderBroken.
    """
    if not settings.SECONDLOOK["DECODE_IN_CHILD"]:
        made: T = judged(work, data, *more)
        return made
    try:
        made = in_child(work, data, *more)
    except ChildFailed as failure:
        made = second_try(work, data, *more, failure=failure)
    return made


def second_try(work: Callable[..., Any], data: bytes, *more: Any, failure: "ChildFailed") -> Any:
    """Decode once more in a fresh process that has just shown that it works: the first may have died earlier."""
    try:
        in_child(work, good_picture(), *more)
    except ChildFailed:
        raise DecoderBroken("the decoding process does not work on this machine") from failure
    try:
        return in_child(work, data, *more)
    except ChildFailed as again:
        raise Undecodable(str(again)) from None


def in_child(work: Callable[..., Any], data: bytes, *more: Any) -> Any:
    """Let the child decode. Raises Undecodable for a verdict of the child, ChildFailed when the child itself failed."""
    try:
        return _child.submit(work, data, *more).result(TIME_S)
    except BrokenProcessPool:
        _child.replace()
        raise ChildFailed("the decoder crashed") from None
    except Late:
        _child.replace()
        raise ChildFailed(f"the decoder took more than {TIME_S} s") from None


def good_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (90, 120, 90)).save(out, "JPEG")
    return out.getvalue()


def judged(work: Callable[..., Any], data: bytes, *more: Any) -> Any:
    """What the child does with the bytes of one picture. Raises Undecodable."""
    try:
        return work(data, *more)
    except images.UnsupportedType:
        raise Undecodable("it is no picture of a kind that is taken") from None
    except images.UNREADABLE as error:
        raise Undecodable(str(error)) from None
    except MemoryError:
        raise Undecodable("the decoder ran out of memory") from None


def copies(data: bytes, wanted: tuple[Wanted, ...]) -> Decoded:
    picture = images.upright(data)
    return Decoded(tuple(copy_of(picture, one) for one in wanted), images.average_colour(picture))


def poster(data: bytes, wanted: tuple[Wanted, ...]) -> Decoded:
    picture = clip_copies.first_frame(data)
    return Decoded(tuple(copy_of(picture, one) for one in wanted), images.average_colour(picture))


def encode_upright(data: bytes, quality: int) -> bytes:
    out = io.BytesIO()
    images.upright(data).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def measure(data: bytes) -> tuple[int, int]:
    """The size, once all coded data was decoded.

    A JPEG is built at an eighth of its size: all bytes are decoded, but most of the arithmetic is saved.
    """
    picture = images.open_picture(data)
    size = picture.size
    if picture.format == "JPEG":
        picture.draft(None, (max(size[0] // 8, 1), max(size[1] // 8, 1)))
    picture.load()
    return size


def copy_of(picture: Image.Image, one: Wanted) -> Copy:
    ratio = min(1.0, one.longest_px / max(picture.size))
    width, height = (max(1, round(side * ratio)) for side in picture.size)
    return Copy(one.name, images.rendition(picture, one.longest_px, one.quality), width, height)


def begin_child() -> None:
    """In the child: leave Ctrl-C to the parent, end when the parent ends, bound the memory, know the messages."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    bound_memory()
    django.setup()


def end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def bound_memory() -> None:
    """Bound the child's address space, where the system knows such a limit."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


class Child:
    """One decoding process, started when it is first needed and replaced when it broke."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def submit(self, work: Callable[..., Any], data: bytes, *more: Any) -> "Future[Any]":
        with self._lock:
            if self._pool is None:
                # Spawned, not forked: a fork would copy the server's threads, locks and connections.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=begin_child)
            return self._pool.submit(judged, work, data, *more)

    def replace(self) -> None:
        """End the process, at once when it hangs; the next picture starts a new one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


_child = Child()
