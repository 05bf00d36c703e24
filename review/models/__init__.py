from .attribute import ClassAttribute
from .claim import Claim, Ended, Skip
from .event import Event, EventEvidence, EventKind, Parking, ParkingCause, Routed, Routing
from .evidence import Evidence, EvidenceState, Rendition, RenditionKind
from .feed import SequencedOutcome
from .file_round import FileDamage, FileRound
from .guide import GuideExample, GuideVersion
from .hold import Duty, Hold, HoldState
from .item import Item, ItemState, Outcome
from .keys import KeyBindings
from .naming import EventNames, NameMap
from .opening import Opening
from .policy import Policy, PolicyState, Rule
from .queue import Move, Queue
from .release import Release, ReleaseFile, ReleaseRow, ReleaseState, Split, SplitPin
from .retention import Kept, LegalHold, RetentionRule, RetentionRun
from .taxonomy import PALETTE, FormerName, Taxonomy, TaxonomyClass
from .upload import FileState, UploadFile, UploadJob, UploadRole, UploadState
from .verdict import Answer, Reopening, Retraction, Verdict

__all__ = [
    "PALETTE",
    "Answer",
    "Claim",
    "ClassAttribute",
    "Duty",
    "Ended",
    "Event",
    "EventEvidence",
    "EventKind",
    "EventNames",
    "Evidence",
    "EvidenceState",
    "FileDamage",
    "FileRound",
    "FileState",
    "FormerName",
    "GuideExample",
    "GuideVersion",
    "Hold",
    "HoldState",
    "Item",
    "ItemState",
    "Kept",
    "KeyBindings",
    "LegalHold",
    "Move",
    "NameMap",
    "Opening",
    "Outcome",
    "Parking",
    "ParkingCause",
    "Policy",
    "PolicyState",
    "Queue",
    "Release",
    "ReleaseFile",
    "ReleaseRow",
    "ReleaseState",
    "Rendition",
    "RenditionKind",
    "Reopening",
    "RetentionRule",
    "RetentionRun",
    "Retraction",
    "Routed",
    "Routing",
    "Rule",
    "SequencedOutcome",
    "Skip",
    "Split",
    "SplitPin",
    "Taxonomy",
    "TaxonomyClass",
    "UploadFile",
    "UploadJob",
    "UploadRole",
    "UploadState",
    "Verdict",
]
