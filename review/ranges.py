"""Answers of a known size that are made while they are sent, whole or in one range (RFC 9110, section 14)."""

import re
from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header

CHUNK = 1 << 20
RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")
Chunks = Callable[[int, int], Iterator[bytes]]


def ranged(
    request: HttpRequest, *, size: int, chunks: Chunks, content_type: str, filename: str, etag: str
) -> HttpResponseBase:
    """Send `size` bytes; `chunks(start, stop)` gives those from `start` up to but without `stop`.

    One byte range is honoured (206), one that cannot be met is 416; several are answered with the whole. A client that
    has these bytes already (`If-None-Match`) gets 304. Without a `filename` they are shown, with one saved.
    """
    if is_there_already(request, etag):
        return named(HttpResponseNotModified(), etag, filename)
    wanted = requested(request, size, etag)
    if wanted is not None and wanted[0] >= wanted[1]:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return named(refused, etag, filename)
    start, stop = wanted or (0, size)
    body = chunks(start, stop) if request.method == "GET" else iter(())
    stream = hopping(body) if isinstance(request, ASGIRequest) else body
    response = StreamingHttpResponse(stream, content_type=content_type, status=206 if wanted else 200)
    if wanted:
        response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response["Content-Length"] = str(stop - start)
    response["Accept-Ranges"] = "bytes"
    return named(response, etag, filename)


def is_there_already(request: HttpRequest, etag: str) -> bool:
    """Whether the client says that it has these bytes, so that none are sent."""
    return etag in re.split(r", *", request.headers.get("If-None-Match", ""))


def named[R: HttpResponseBase](response: R, etag: str, filename: str) -> R:
    """Mark an answer with what its bytes are, and how they are called when they are saved (RFC 6266)."""
    response["ETag"] = etag
    if filename:
        kept_as = content_disposition_header(as_attachment=True, filename=filename)
        response["Content-Disposition"] = kept_as or "attachment"
    return response


async def hopping(body: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of `body`, each made in a thread: an async server would otherwise collect all of them first."""
    following = sync_to_async(lambda: next(body, None))
    while (chunk := await following()) is not None:
        yield chunk


def requested(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """The range that the client wants as (start, stop); None for the whole. An empty one cannot be met."""
    found = RANGE.match(request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if not found or (condition is not None and condition != etag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        # Not a range at all (RFC 9110, 14.1.2), so it is as if nobody had asked for one.
        return None
    return int(first), min(size, int(last) + 1 if last else size)
