"""What can go wrong in the review loop; the tree continues accounts.exceptions.

Conflict (409)
├── ClaimLost             somebody else holds the item now
├── StaleVersion          the item changed since it was claimed
├── AlreadyDecided        it has its outcome
├── KeyReused             one key, two different answers
├── UndoWindowOver        the verdict is final
└── FileDamaged           the stored bytes are not those that were stored

EvidenceRemoved (410)     the bytes are gone for good, by a rule
"""

from django.utils.translation import gettext_lazy as _

from accounts.exceptions import Conflict, SecondLookError


class ClaimLost(Conflict):
    code, title = "claim_lost", _("Your claim on this item has ended.")


class StaleVersion(Conflict):
    code, title = "stale_version", _("This item has changed since you opened it.")


class AlreadyDecided(Conflict):
    code, title = "already_decided", _("This item has been answered already.")


class KeyReused(Conflict):
    code, title = "key_reused", _("This key was used for another answer.")


class UndoWindowOver(Conflict):
    code, title = "undo_window_over", _("The time in which this answer could be taken back is over.")


class EvidenceRemoved(SecondLookError):
    status, code, title = 410, "evidence_removed", _("The evidence was removed by the rules of retention.")


class FileDamaged(Conflict):
    code, title = "file_damaged", _("The stored file is not what was stored. It has to be restored from a backup.")
