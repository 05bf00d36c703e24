"""Every `code` of a problem document that the API answers with: its status, and what it means."""

CODES = {
    "bad_request": (400, "The request line or a header cannot be read."),
    "unauthenticated": (401, "No token, an unknown one, or one that was revoked or has ended."),
    "token_in_address": (401, "A token was sent in the address. Revoke it, and send one in the header."),
    "site_retired": (403, "The site of the source is retired and takes nothing in."),
    "scope_missing": (403, "The personal token lacks the scope of this call."),
    "second_factor_required": (403, "A role of the person asks for a second factor, and none is set up."),
    "forbidden": (403, "The person sees this, but the role does not allow it."),
    "not_found": (404, "There is nothing, or it is not yours: the two are one answer."),
    "not_held": (404, "The event has no hold."),
    "wrong_method": (405, "This address does not take that method; `Allow` says which it takes."),
    "method_not_allowed": (405, "Nothing here takes that method; `Allow` says which there are."),
    "too_slow": (408, "Headers or body came too slowly."),
    "event_conflict": (409, "This `event_id` was posted with another body; `id` names the first one."),
    "offset_mismatch": (409, "The part leaves a gap; `received` says where to go on."),
    "claim_lost": (409, "Somebody else holds the item now, or it was decided."),
    "stale_version": (409, "The item changed since it was claimed; `current` is its state."),
    "already_decided": (409, "The item has its outcome; `current` is its state."),
    "key_reused": (409, "This key was used for another answer."),
    "number_taken": (409, "Others made releases faster; try again."),
    "changed": (409, "Evidence or answers changed while the selection was frozen; try again."),
    "too_large": (413, "More bytes than the limits allow."),
    "unsupported_type": (
        415,
        "A body of another type than this call takes, in another charset than UTF-8, or bytes that are not of the type "
        "that was announced.",
    ),
    "nul_character": (422, "The query holds a NUL character."),
    "bad_length": (422, "The Content-Length is no number."),
    "broken_body": (422, "The connection broke off in the body."),
    "invalid_json": (422, "The body is no JSON in UTF-8."),
    "duplicate_key": (422, "An object names a key twice."),
    "schema": (422, "A value is missing, unknown, of the wrong type or out of range; `errors` says where."),
    "time_out_of_range": (422, "A time that no database or time zone carries, or an hour that lies in the future."),
    "bad_multipart": (422, "Parts are missing, repeated or cannot be read."),
    "evidence_not_announced": (422, "A file part that the event does not announce."),
    "digest_mismatch": (422, "The bytes have another SHA-256 than was announced."),
    "too_many_pixels": (422, "The picture or the frame of the clip has too many pixels."),
    "animated": (422, "The picture has more than one frame."),
    "bad_picture": (422, "The header of the picture cannot be read."),
    "bad_clip": (422, "The header of the clip cannot be read."),
    "clip_too_long": (422, "The clip has too many seconds or frames."),
    "bad_range": (422, "A Content-Range that is none, or not as long as the body."),
    "camera_mismatch": (422, "The token belongs to another camera."),
    "model_digest_mismatch": (422, "This model version is registered with another digest."),
    "hold_not_supported": (422, "The queue that the event routes to answers no machines that wait."),
    "bad_cursor": (422, "A cursor that was not made here."),
    "unknown_class": (422, "A label names no class of the queue; `classes` says which."),
    "unknown_prediction": (422, "A label names no prediction of the event, or two name one."),
    "labels_do_not_confirm": (422, "The labels are not the predictions; send `correct`."),
    "label_outside_frame": (422, "A label lies outside the picture."),
    "box_required": (422, "A label of a detection needs a box."),
    "polygon_required": (422, "A label of a segmentation needs a polygon or a box."),
    "unknown_attribute": (422, "A label has an attribute that its class has not; `errors` says which."),
    "bad_attribute_value": (422, "An attribute of a label has a value that its class does not know."),
    "attribute_required": (422, "A label lacks an attribute that its class wants; `errors` says which."),
    "index_mismatch": (422, "The index of a label is that of another class; `errors` says where."),
    "reason_required": (422, "The queue wants a reason for this answer; `errors` says in which field."),
    "mixed_sites": (422, "The queues belong to several sites."),
    "mixed_taxonomies": (422, "The queues have several taxonomies."),
    "bad_dates": (422, "The first date lies after the last one."),
    "unknown_format": (422, "A format that there is not."),
    "nothing_to_release": (422, "No outcome can be released; `excluded` counts the reasons."),
    "source_rate": (429, "The source posts faster than its own rate allows."),
    "too_many_requests": (429, "The address asks more often than the server takes."),
    "busy": (503, "The database is busy or out of reach. Nothing was kept."),
    "storage_full": (503, "The file store has no room. Nothing was kept."),
    "storage_unavailable": (503, "The file store is out of reach. Nothing was kept."),
    "quota_full": (503, "The site keeps as many bytes of evidence as it may. Nothing was kept."),
}

# Whatever is called.
ALWAYS = (
    "bad_request",
    "unauthenticated",
    "token_in_address",
    "too_slow",
    "too_large",
    "unsupported_type",
    "nul_character",
    "too_many_requests",
    "busy",
)
PERSONAL = ("scope_missing", "second_factor_required")
JSON_BODY = ("bad_length", "broken_body", "invalid_json", "duplicate_key", "schema", "time_out_of_range")
FILE = ("digest_mismatch", "too_many_pixels", "animated", "bad_picture", "bad_clip", "clip_too_long")
EVENT = ("schema", "time_out_of_range", "camera_mismatch", "model_digest_mismatch", "hold_not_supported")


def by_status(codes: tuple[str, ...]) -> dict[int, list[str]]:
    """The codes under their statuses, both in order, none twice."""
    found: dict[int, list[str]] = {}
    for code in sorted(set(codes), key=list(CODES).index):
        found.setdefault(CODES[code][0], []).append(code)
    return dict(sorted(found.items()))
