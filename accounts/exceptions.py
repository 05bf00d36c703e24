"""Errors that people and programs can meet.

SecondLookError (500)
├── Unreadable (400)            no request that means anything here
├── NotFound (404)              also "not yours": the two are the same answer
├── Refused (403)               known, but this right is missing
├── Unauthenticated (401)
│   └── Locked (401)            signed in, and the screen is locked
├── WrongMethod (405)
├── Invalid (422)               a value that cannot be used
└── Conflict (409)              the state moved on
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class SecondLookError(Exception):
    """Base of our errors: an HTTP status, a stable code, a sentence, and more members for the problem document."""

    status = 500
    code = "error"
    title: str | Promise = _("Something went wrong")

    def __init__(self, detail: str | Promise = "", *, code: str | None = None, **members: Any) -> None:
        super().__init__(str(detail) or str(self.title))
        self.detail = detail or self.title
        self.code = code or self.code
        self.members = members


class Unreadable(SecondLookError):
    status, code, title = 400, "bad_request", _("The request cannot be read.")


class NotFound(SecondLookError):
    status, code, title = 404, "not_found", _("There is nothing here, or it is not yours to see.")


class Refused(SecondLookError):
    status, code, title = 403, "forbidden", _("Your role does not allow this.")


class Unauthenticated(SecondLookError):
    status, code, title = 401, "unauthenticated", _("Sign in, or send a valid token.")


class Locked(Unauthenticated):
    code, title = "locked", _("The screen is locked. Unlock it, and go on where you were.")


class Invalid(SecondLookError):
    status, code, title = 422, "invalid", _("A value cannot be used.")


class Conflict(SecondLookError):
    status, code, title = 409, "conflict", _("This has changed in the meantime.")


class WrongMethod(SecondLookError):
    status, code, title = 405, "wrong_method", _("This address does not take that method.")
