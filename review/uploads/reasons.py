"""Why a file of an upload was left out, or what is to be said about one that was taken."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise | str] = {
    # Files
    "not_used": _("This kind of file is not used."),
    "same_picture": _("The same picture is there under another name."),
    "too_large": _("It is larger than one file may be."),
    "unreadable": _("It cannot be read."),
    # Entries of archives
    "bad_name": _("Its name leads outside, is too long, or holds characters that no name needs."),
    "link": _("It is a link or a device and no file."),
    "encrypted": _("It is encrypted."),
    "nested_archive": _("It is an archive inside of an archive."),
    "duplicate_name": _("Another file of the archive has this name, capitals aside."),
    "unknown_compression": _("It is packed in a way that is not read here."),
    # Archives as a whole
    "bad_archive": _("It is no ZIP archive, or a damaged one."),
    "too_many_files": _("There are more files than one upload may have."),
    "too_many_bytes": _("Unpacked it is larger than one upload may be."),
    "bomb": _("It unpacks to far more than its size: a ZIP bomb."),
    "lying_size": _("It has another size than the archive says."),
    # Pictures
    "unsupported_type": _("Only JPEG, PNG and WebP pictures are taken."),
    "too_many_pixels": _("The picture has too many pixels."),
    "animated": _("Animated pictures are not taken; send one frame."),
    "bad_picture": _("The header of the picture cannot be read."),
    # Predictions
    "no_predictions": _("No predictions were found for this picture."),
    "no_file_so_empty": _("No predictions were found for it: taken as a picture on which the model saw nothing."),
    "predictions_unread": _("The predictions for this picture have faults."),
    "ambiguous": _("Several files claim to belong to this one."),
    "no_picture": _("No picture has this name."),
    "no_model": _("Predictions are not used here: nobody said which model made them."),
    "faulty": _("It has faults, so nothing of it is used."),
    "other_size": _("The predictions were made on a picture of another size."),
    "below_floor": _("Predictions below the reporting floor were left out."),
    "no_classes": _("Nobody says what its classes are called: add classes.txt or data.yaml, or paste the names."),
    "listed_only": _("It lists pictures and categories for other files."),
}


def reason_text(code: str) -> str:
    """The sentence of a code; a code of intake that is not listed is shown as it is."""
    return str(REASONS.get(code, code))
