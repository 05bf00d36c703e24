"""What to do about a refused call, in plain words, for whoever connects a source."""

from django.utils.translation import gettext_lazy as _

ADVICE = {
    "schema": _("A field is missing, unknown or of the wrong type. The path says which one."),
    "invalid_json": _("The body is no JSON in UTF-8. Does the shell change its quotes?"),
    "duplicate_key": _("An object names a key twice."),
    "bad_multipart": _("Send one part named event, and one file per evidence, each under its evidence's name."),
    "evidence_not_announced": _("Each file part needs an entry of the same name in evidence."),
    "digest_mismatch": _("The sha256 in evidence is not that of the file that was sent."),
    "unsupported_type": _("The content type must be what the bytes are: JPEG, PNG or WebP, and for clips MP4 or WebM."),
    "too_large": _("The file or the body is larger than this server takes."),
    "too_many_pixels": _("The picture has more pixels than this server takes; send a smaller one."),
    "bad_picture": _("The header of the picture cannot be read: is the file whole?"),
    "camera_mismatch": _("This token belongs to another camera. Leave camera out, or make a source without a camera."),
    "model_digest_mismatch": _("This model version is known with another sha256: give the new file a new version."),
    "event_conflict": _("This event_id was used for another body: make a new UUID for each event."),
    "hold_not_supported": _("The queue that it routes to answers no machines that wait: post it without hold."),
    "time_out_of_range": _("Send times as RFC 3339 with a zone, such as 2026-11-23T08:15:30Z."),
    "site_retired": _("The site of this source is retired. Connect it to another site, or bring the site back."),
    "not_found": _("There is nothing at this address for this source: check the id."),
}
OTHERWISE = _("See the table of codes in the API's documentation.")


def advice(code: str) -> str:
    return str(ADVICE.get(code, OTHERWISE))
