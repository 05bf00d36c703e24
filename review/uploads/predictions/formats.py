"""The formats of predictions that are read."""

from review.uploads.predictions import Format
from review.uploads.predictions.coco import Coco
from review.uploads.predictions.yolo import Yolo

FORMATS: tuple[Format, ...] = (Coco(), Yolo())


def format_of(name: str) -> Format | None:
    return next((one for one in FORMATS if one.fits(name)), None)
