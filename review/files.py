"""Files of the store as answers: whole or in one range, by this process or by the web server in front of it.

With `SECONDLOOK_ACCEL_PREFIX` set (nginx: an internal location over the media folder) this process only decides, and
nginx sends the bytes; rights are asked for each request all the same. A store that is not a disk is always read through
this process: no address of a bucket reaches a browser.
"""

from collections.abc import Iterator
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.exceptions import NotFound
from review import evidence_store
from review.ranges import CHUNK, is_there_already, named, ranged

CSP = "default-src 'none'; frame-ancestors 'none'; sandbox"


def stored(
    request: HttpRequest, name: str, *, content_type: str, etag: str, filename: str = "", size: int | None = None
) -> HttpResponseBase:
    """Send the stored file `name`; as an attachment when it has a `filename`, otherwise to be shown.

    Raises NotFound when it is not there, is not a file below the store's root, or has another size than `size` bytes.
    """
    try:
        with evidence_store.opened(name) as file:
            there = int(file.size)
    except FileNotFoundError:
        raise NotFound from None
    if size is not None and there != size:
        raise NotFound
    prefix = settings.SECONDLOOK["ACCEL_PREFIX"]
    if prefix and evidence_store.local_path(name) is not None and not is_there_already(request, etag):
        response: HttpResponseBase = HttpResponse(content_type=content_type)
        response["X-Accel-Redirect"] = f"{prefix}{quote(name)}"
        named(response, etag, filename)
    else:
        response = ranged(
            request,
            size=there,
            chunks=lambda start, stop: chunks(name, start, stop),
            content_type=content_type,
            filename=filename,
            etag=etag,
        )
    response["Content-Security-Policy"] = CSP
    return response


def chunks(name: str, start: int, stop: int) -> Iterator[bytes]:
    """The bytes of a stored file from `start` up to but without `stop`. Raises OSError when it was cut meanwhile."""
    with evidence_store.opened(name) as file:
        file.seek(start)
        while start < stop:
            chunk = file.read(min(CHUNK, stop - start))
            if not chunk:
                raise OSError(f"{name} is shorter than it was")
            yield chunk
            start += len(chunk)
