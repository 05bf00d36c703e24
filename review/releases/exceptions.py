"""What can go wrong with a release once it is frozen.

SecondLookError
├── BuildFailed (500)      the release becomes `failed`; the sentence names the picture or the file
└── Superseded (409)       another worker has taken the build over; this one stops and touches nothing more
"""

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict, SecondLookError


class BuildFailed(SecondLookError):
    status, code, title = 500, "build_failed", _("The release could not be built.")


class Superseded(Conflict):
    code, title = "superseded", _("Another worker has taken this build over.")
