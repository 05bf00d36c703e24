"""Names of files as people and archives give them: text to show, and what may be read from it."""

import unicodedata
from pathlib import PurePosixPath

from review.models.upload import NAME_LETTERS, UploadRole

PICTURES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"}
CLASS_FILES = {"classes.txt", "classes.names", "obj.names", "data.yaml", "data.yml", "dataset.yaml"}
# Folders by which exports keep pictures and predictions apart; they say nothing about which belong together.
APART = {"images", "labels", "image", "label", "img", "jpegimages", "annotations", "predictions"}
# Control, format (also those that turn the direction of text) and private characters, and halves of surrogates.
HIDDEN = {"Cc", "Cf", "Cs", "Co"}
# The two joiners are hidden as well, but names in many scripts, and emoji, need them.
JOINERS = {"\N{ZERO WIDTH JOINER}", "\N{ZERO WIDTH NON-JOINER}"}
SHORTENED = 40


def shown(name: str) -> str:
    """A name that can be kept and shown: forward slashes, nothing hidden, shortened in the middle."""
    plain = "".join("\N{REPLACEMENT CHARACTER}" if is_hidden(char) else char for char in name)
    plain = plain.replace("\\", "/").strip() or "\N{REPLACEMENT CHARACTER}"
    if len(plain) <= NAME_LETTERS:
        return plain
    return f"{plain[: NAME_LETTERS - SHORTENED - 1]}…{plain[-SHORTENED:]}"


def is_hidden(name: str) -> bool:
    """Whether a name holds a character that nobody sees, and that may turn or break what is around it."""
    return any(unicodedata.category(char) in HIDDEN and char not in JOINERS for char in name)


def stem_of(name: str) -> str:
    """The last part without its extension."""
    return PurePosixPath(name).stem


def place_of(name: str) -> tuple[str, ...]:
    """The whole name without its extension and without folders that only keep pictures and predictions apart."""
    path = PurePosixPath(name)
    return (*(part for part in path.parent.parts if part.lower() not in APART), path.stem)


def role_of(name: str) -> UploadRole:
    """What a file is by its name alone; pictures are looked at again by their bytes."""
    path = PurePosixPath(name.lower())
    if "__macosx" in path.parts or path.name.startswith("."):
        return UploadRole.OTHER
    if path.name in CLASS_FILES:
        return UploadRole.CLASSES
    if path.suffix in PICTURES:
        return UploadRole.PICTURE
    if path.suffix == ".zip":
        return UploadRole.ARCHIVE
    return UploadRole.PREDICTIONS if path.suffix in {".json", ".txt"} else UploadRole.OTHER
