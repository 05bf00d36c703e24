"""The sentences behind the codes of a release's summary."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.models import Outcome

# Why an outcome is not in a release: the keys of `summary["excluded"]`.
REASONS: dict[str, str | Promise] = {
    Outcome.UNSURE: _("answered “unsure”"),
    Outcome.BAD_IMAGE: _("answered “bad image”"),
    Outcome.WITHDRAWN: _("withdrawn without a look"),
    Outcome.LAPSED: _("lapsed without a look"),
    Outcome.DISPUTED: _("disputed"),
    "not_final": _("the answer can still be undone"),
    "retracted": _("the answer was taken back"),
    "no_frame": _("the event has no frame"),
    "evidence_pending": _("the frame has not arrived yet"),
    "evidence_damaged": _("the frame is damaged"),
    "frame_size": _("the picture does not have the proportions of the frame that was judged"),
    "no_box": _("a label has neither box nor polygon"),
    "bad_box": _("a label's box lies outside the picture or has no area"),
    "unknown_class": _("a label's class is not in the taxonomy"),
    "contradiction": _("answers on the same picture contradict each other"),
    "bridge": _("the picture is a near-duplicate of pictures in two different splits"),
}

# What the people who use a release should know: the members of `summary["warnings"]`.
WARNINGS: dict[str, str | Promise] = {
    "single_group": _(
        "All pictures belong to one group (one burst or one picture), so all of them are in one split; "
        "a model cannot be judged on this release alone."
    ),
    "no_train": _("No picture is in the training split, because each was pinned to another split before."),
    "no_val": _("No picture is in the validation split; data.yaml names the training pictures in its place."),
    "no_test": _("No picture is in the test split."),
    "partial": _(
        "In some pictures only what was doubtful has been judged: COCO has them with ignore regions, "
        "YOLO leaves them out."
    ),
    "clipped": _("Boxes that reached over the border were cut at the border."),
}


def reason_text(code: str) -> str:
    """The sentence for a key of `summary["excluded"]`; the code itself when it is not known."""
    return str(REASONS.get(code, code))


def warning_text(code: str) -> str:
    """The sentence for a member of `summary["warnings"]`; the code itself when it is not known."""
    return str(WARNINGS.get(code, code))
