from .counts import SeenCount
from .registry import ModelVersion
from .site import Camera, Site
from .source import Source

__all__ = ["Camera", "ModelVersion", "SeenCount", "Site", "Source"]
