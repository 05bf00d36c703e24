"""The PIN of a shift: set after a full sign-in, good at one workstation until the shift ends or five tries failed."""

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.actions.shifts import record
from accounts.exceptions import Conflict, Invalid, Refused
from accounts.models import Shift
from accounts.models.workstation import PIN_TRIES

LENGTHS = range(4, 9)
RUN = "01234567890123456789"


def is_pin(code: str) -> bool:
    """Whether a code has the form of a PIN: four to eight digits. Everything else that is typed comes from a reader."""
    return code.isascii() and code.isdigit() and len(code) in LENGTHS


def is_trivial(pin: str) -> bool:
    """Whether a PIN is among those tried first: one digit, a pair or half again and again, a run, a year."""
    halves = any(pin == pin[:size] * (len(pin) // size) for size in (1, 2, len(pin) // 2) if len(pin) % size == 0)
    is_year = len(pin) == 4 and "1940" <= pin <= "2039"
    return halves or pin in RUN or pin in RUN[::-1] or is_year


def set_pin(*, shift: Shift, pin: str, now: datetime) -> None:
    """Give the shift a PIN, in place of an earlier one.

    Raises Invalid for one that is none or too easy to guess, Conflict when the shift is over or locked, or when the
    browser is not shared.
    """
    if not is_pin(pin):
        raise Invalid(_("A PIN has four to eight digits."), code="pin_form")
    if is_trivial(pin):
        raise Invalid(_("This PIN is among the first that others try. Choose another one."), code="pin_trivial")
    hashed = make_password(pin)
    with transaction.atomic():
        rows = Shift.objects.live(now).filter(pk=shift.pk, locked_at=None)
        if not rows.exclude(workstation=None).update(pin_hash=hashed, pin_tries=0):
            raise Conflict(_("A PIN belongs to a shift at a shared computer. Sign in anew here."), code="no_shift")
        record("pin.set", shift, ends_at=shift.ends_at.isoformat())


def check_pin(*, shift: Shift, pin: str, now: datetime) -> None:
    """Return if this is the shift's PIN. Raises Refused for another one, and when it is void.

    Each try is taken before it is looked at, by a conditional UPDATE: many at once share the five. The fifth wrong one
    takes the PIN away, so that only a badge or a full sign-in opens the shift. It ends nothing: whoever copied the
    workstation's cookie could otherwise throw a colleague out.
    """
    if not take_a_try(shift, now):
        raise void()
    if check_password(pin, shift.pin_hash):
        Shift.objects.filter(pk=shift.pk, ended_at=None).update(pin_tries=0)
        return
    left = refuse(shift)
    if not left:
        raise void()
    words = ngettext("This is not the PIN. %d try is left.", "This is not the PIN. %d tries are left.", left)
    raise Refused(words % left, code="wrong_pin")


def take_a_try(shift: Shift, now: datetime) -> bool:
    """Use up one of the tries; False when none is left, or when there is no PIN that counts."""
    rows = Shift.objects.live(now).filter(pk=shift.pk, pin_tries__lt=PIN_TRIES, pin_hash=shift.pin_hash)
    return rows.exclude(pin_hash="").update(pin_tries=F("pin_tries") + 1) == 1


def refuse(shift: Shift) -> int:
    """Write down a wrong try, and take the PIN away with the last one. Returns how many are left."""
    with transaction.atomic():
        tries = Shift.objects.select_for_update().get(pk=shift.pk).pin_tries
        record("pin.refused", shift, tries=tries)
        if tries < PIN_TRIES:
            return PIN_TRIES - tries
        if Shift.objects.filter(pk=shift.pk, ended_at=None).exclude(pin_hash="").update(pin_hash="", pin_tries=0):
            record("pin.voided", shift, why="five wrong tries")
    return 0


def void() -> Refused:
    return Refused(_("This PIN opens nothing any more. Sign in with your password."), code="pin_void")
