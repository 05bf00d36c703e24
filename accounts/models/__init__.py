from .audit import AuditEntry
from .grant import Grant
from .lease import Lease
from .person import User
from .token import PersonalToken

__all__ = ["AuditEntry", "Grant", "Lease", "PersonalToken", "User"]
