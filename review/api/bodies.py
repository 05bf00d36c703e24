"""Request bodies, read within their bounds."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Invalid
from review.evidence_store import unavailable
from review.images import TooLarge, UnsupportedType
from review.strict_json import loads

# Room for the parts' headers beside their bytes.
ENVELOPE = 100_000


def json_body(request: HttpRequest, *, most: int | None = None, deep: bool = True) -> Any:
    """The JSON of a request. Raises UnsupportedType, TooLarge or Invalid.

    Without `deep` the caller looks for keys that stand twice below the outermost object.
    """
    if request.content_type not in {"application/json", ""}:
        raise UnsupportedType(_("Send application/json."))
    return loads(raw_body(request, most=most or settings.SECONDLOOK["MAX_EVENT_BYTES"]), deep=deep)


def raw_body(request: HttpRequest, *, most: int) -> bytes:
    """The bytes of a request, refused by their announced length before they are read."""
    require_length(request, most)
    try:
        body = request.body
    except RequestDataTooBig:
        raise TooLarge from None
    except UnreadablePostError:
        raise Invalid(_("The connection broke off."), code="broken_body") from None
    if len(body) > most:
        raise TooLarge
    return body


def multipart_body(request: HttpRequest) -> tuple[Any, dict[str, bytes]]:
    """The part `event` as JSON, and the bytes of the other parts by name.

    Raises TooLarge (413), Invalid for a broken envelope, a missing or repeated part, or StoreUnavailable.
    """
    limits = settings.SECONDLOOK
    require_length(request, limits["MAX_EVENT_BYTES"] + 10 * limits["MAX_EVIDENCE_BYTES"] + ENVELOPE)
    try:
        fields, files = request.POST, request.FILES
    except (MultiPartParserError, UnreadablePostError, TooManyFieldsSent, TooManyFilesSent):
        raise Invalid(_("The multipart body cannot be read."), code="bad_multipart") from None
    except RequestDataTooBig:
        raise TooLarge from None
    except SuspiciousOperation:
        raise Invalid(_("The multipart body cannot be read."), code="bad_multipart") from None
    except OSError as error:
        # Large parts go to a temporary file first.
        raise unavailable(error) from error
    texts = [value.encode() for value in fields.getlist("event")] + [f.read() for f in files.getlist("event") if f]
    if len(texts) != 1 or set(fields) - {"event"}:
        raise Invalid(_("Send exactly one part named event, and one file per evidence."), code="bad_multipart")
    if len(texts[0]) > limits["MAX_EVENT_BYTES"]:
        raise TooLarge
    return loads(texts[0]), {name: one_file(files.getlist(name)) for name in files if name != "event"}


def one_file(parts: list[Any]) -> bytes:
    if len(parts) != 1:
        raise Invalid(_("A part of this name stands there twice."), code="bad_multipart")
    if parts[0].size > settings.SECONDLOOK["MAX_EVIDENCE_BYTES"]:
        raise TooLarge
    return bytes(parts[0].read())


def require_length(request: HttpRequest, most: int) -> None:
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Invalid(_("The Content-Length is no number."), code="bad_length") from None
    if length > most:
        raise TooLarge
