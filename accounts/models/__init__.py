from .audit import AuditEntry
from .grant import Grant
from .lease import Lease
from .person import User
from .session import Session
from .token import PersonalToken

__all__ = ["AuditEntry", "Grant", "Lease", "PersonalToken", "Session", "User"]
