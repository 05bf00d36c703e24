"""The dataset formats, by the name that recipes use."""

from .coco import Coco
from .interface import Format
from .yolo import Yolo

FORMATS: dict[str, Format] = {"coco": Coco(), "yolo": Yolo()}

__all__ = ["FORMATS", "Format"]
