"""Frigate's HTTP API: pictures, the size of detect streams, and the list of events."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from inference.client.exceptions import BadInput
from inference.client.picture import Picture, picture_of
from inference.edge.exceptions import ConfigError
from inference.frigate.config import FrigateConfig
from inference.frigate.tracked import Tracked

# What draws on the picture, crops it or makes it smaller is switched off where Frigate lets a request say so.
PLAIN = {"bbox": "0", "timestamp": "0", "crop": "0", "quality": "90"}
PAGE = 100
# Somebody may give a camera another detect size; a camera that is new is asked for sooner.
_SIZES_HOLD_S = 120.0
_SIZES_AGAIN_S = 5.0
_MOST_LIST_BYTES = 16 * 2**20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NvrUnreachable(Exception):
    """Frigate does not answer, or refuses us: nothing is known about the picture. The argument says why."""


class NoPicture(Exception):
    """Frigate answers, and has no picture that can be used. The argument is a stable word for the reason."""


class Nvr:
    """One connection pool to one Frigate. Answers are bounded in bytes and time; redirects are not followed.

    Raises `ConfigError` when the file of authorities cannot be read.
    """

    def __init__(self, config: FrigateConfig, base: Path = Path()) -> None:
        self._config = config
        self._sizes: dict[str, tuple[int, int]] = {}
        self._sizes_at_s = float("-inf")
        self._http = httpx.Client(
            base_url=config.url.rstrip("/") + "/api/",
            headers={"User-Agent": "secondlook-frigate"},
            timeout=config.timeout_s,
            follow_redirects=False,
            trust_env=urlsplit(config.url).hostname not in _LOOPBACK,
            verify=_authorities(config.ca_file, base) if config.ca_file else True,
        )

    def picture(self, tracked: Tracked, size: tuple[int, int] | None) -> tuple[Picture, bool]:
        """The best picture of an object, and whether it shows the whole frame.

        `size` is the detect stream's: a picture of another shape was cropped. Raises `NvrUnreachable`, `NoPicture`.
        """
        why, cropped = "not_there", None
        for name in self._config.pictures:
            try:
                picture = self._named(tracked.id, name)
            except NoPicture as error:
                # The first word that is more than absence is the one that helps.
                why = str(error) if why == "not_there" else why
                continue
            if size is None or _same_shape((picture.width, picture.height), size):
                return picture, True
            cropped = cropped or picture
        if cropped is not None:
            return cropped, False
        raise NoPicture(why)

    def size(self, camera: str) -> tuple[int, int] | None:
        """Width and height of a camera's detect stream, as Frigate's configuration says; None when it does not.

        Raises `NvrUnreachable`.
        """
        age_s = time.monotonic() - self._sizes_at_s
        if age_s > _SIZES_HOLD_S or (camera not in self._sizes and age_s > _SIZES_AGAIN_S):
            self._sizes = _sizes(self._json("config"))
            self._sizes_at_s = time.monotonic()
        return self._sizes.get(camera)

    def events(self, after_s: float) -> Iterator[list[Any]]:
        """Pages of the events that began after a moment, newest first. Raises `NvrUnreachable`."""
        asked: dict[str, str] = {"after": f"{after_s:.6f}", "limit": str(PAGE), "include_thumbnails": "0"}
        while True:
            page = self._json("events", asked)
            if not isinstance(page, list):
                raise NvrUnreachable("the list of events is no list")
            yield page
            starts = [one.get("start_time") for one in page if isinstance(one, dict)]
            oldest = min((start for start in starts if isinstance(start, int | float)), default=after_s)
            before = f"{oldest:.6f}"
            if len(page) < PAGE or oldest <= after_s or asked.get("before") == before:
                return
            asked["before"] = before

    def close(self) -> None:
        self._http.close()

    def _named(self, pk: str, name: str) -> Picture:
        path = f"events/{quote(pk, safe='')}/{name}"
        data = self._read(path, PLAIN, round(self._config.max_picture_mb * 2**20))
        try:
            return picture_of(data)
        except BadInput as error:
            raise NoPicture("unreadable") from error

    def _json(self, path: str, asked: dict[str, str] | None = None) -> Any:
        try:
            return msgspec.json.decode(self._read(path, asked, _MOST_LIST_BYTES))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NoPicture) as error:
            raise NvrUnreachable(f"{path}: no answer that can be read ({error})") from error

    def _read(self, path: str, asked: dict[str, str] | None, most_bytes: int) -> bytes:
        """The body of an answer. Raises `NvrUnreachable`, `NoPicture`."""
        # A server that sends a byte now and then never runs into the time-out of one read.
        deadline_s = time.monotonic() + 3 * self._config.timeout_s
        try:
            with self._http.stream("GET", path, params=asked) as answer:
                # 500 is about this picture: a file that Frigate cannot read must not hold up all others.
                if answer.status_code in (400, 404, 410, 500):
                    raise NoPicture("not_there")
                if answer.status_code != 200:
                    raise NvrUnreachable(f"{path}: Frigate said {answer.status_code}")
                return _bounded(answer, most_bytes, deadline_s)
        except httpx.HTTPError as error:
            raise NvrUnreachable(f"{path}: no answer ({type(error).__name__})") from error


def _bounded(answer: httpx.Response, most_bytes: int, deadline_s: float) -> bytes:
    data = bytearray()
    for chunk in answer.iter_bytes(65536):
        data += chunk
        if len(data) > most_bytes:
            raise NoPicture("too_large")
        if time.monotonic() > deadline_s:
            raise NvrUnreachable("the answer takes too long")
    return bytes(data)


def _same_shape(picture: tuple[int, int], frame: tuple[int, int]) -> bool:
    """Whether one is the other, made larger or smaller: width over height within 2 %, for rounding."""
    return abs(picture[0] * frame[1] - picture[1] * frame[0]) <= 0.02 * picture[0] * frame[1]


def _sizes(config: Any) -> dict[str, tuple[int, int]]:
    found = {}
    cameras = config.get("cameras") if isinstance(config, dict) else None
    for name, camera in cameras.items() if isinstance(cameras, dict) else ():
        detect = camera.get("detect") if isinstance(camera, dict) else None
        width, height = (detect.get("width"), detect.get("height")) if isinstance(detect, dict) else (None, None)
        if isinstance(width, int) and isinstance(height, int) and 1 <= width <= 65535 and 1 <= height <= 65535:
            found[name] = (width, height)
    return found


def _authorities(name: str, base: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(base / name))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("config_invalid", f"the file cannot be read: {error}", "$.frigate.ca_file") from error
