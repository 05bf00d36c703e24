from .clone import CloneClue, PossibleClone
from .counts import SeenCount
from .registry import ModelVersion
from .site import Camera, Site
from .source import Source
from .tally import SourceTally, TallyOutcome

__all__ = [
    "Camera",
    "CloneClue",
    "ModelVersion",
    "PossibleClone",
    "SeenCount",
    "Site",
    "Source",
    "SourceTally",
    "TallyOutcome",
]
