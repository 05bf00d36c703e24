from .audit import AuditEntry
from .grant import Grant
from .invitation import Invitation
from .lease import Lease
from .person import User
from .seal import Anchoring, Checkpoint, Leaf, LeafNode, Unsealed, Verification
from .session import Session
from .sign_in import GroupMapping, Identity, SignInRule
from .token import PersonalToken
from .workstation import Badge, Shift, Workstation

__all__ = [
    "Anchoring",
    "AuditEntry",
    "Badge",
    "Checkpoint",
    "Grant",
    "GroupMapping",
    "Identity",
    "Invitation",
    "Leaf",
    "LeafNode",
    "Lease",
    "PersonalToken",
    "Session",
    "Shift",
    "SignInRule",
    "Unsealed",
    "User",
    "Verification",
    "Workstation",
]
