"""What somebody signs in with: the own password, app, passkeys and recovery codes."""

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actions.sessions import end_sessions
from accounts.adapter import cipher
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.factors import Type, counter_of, has_factor
from accounts.models import User

LONGEST_NAME = 60


def set_password(*, person: User, password: str, keep: str | None, actor: User, now: datetime) -> None:
    """Give `person` a new password and end the sessions, all but the one whose key is `keep`.

    Raises Invalid `weak_password` with what is wrong with it.
    """
    check_password(password, person)
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        audit.record("password.changed", actor=actor, on=person)
        end_sessions(person=person, keep=keep, actor=actor, reason=_("New password"), now=now)


def check_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="weak_password") from None


def add_app(*, person: User, secret: str, code: str, now: datetime) -> Authenticator:
    """Add an app that has shown a right code. Raises Invalid for a wrong one, Conflict for a second app."""
    counter = counter_of(secret, code, now)
    if counter is None:
        raise Invalid(
            _("This code is not right. Wait for the next one, and check the clock of the phone."), code="code"
        )
    data = {"secret": cipher().encrypt(secret.encode()).decode(), "last_counter": counter}
    with transaction.atomic():
        try:
            with transaction.atomic():
                made = Authenticator.objects.create(user=person, type=Type.TOTP, data=data)
        except IntegrityError:
            raise Conflict(_("There is an app already. Remove it first."), code="app_exists") from None
        audit.record("factor.added", actor=person, on=person, factor=str(Type.TOTP))
    return made


def add_passkey(*, person: User, name: str, credential: Any) -> Authenticator:
    """Keep a passkey that the browser made for the challenge of this session. Raises Invalid for any other."""
    called = name.replace("\0", "").strip()[:LONGEST_NAME] or _("Passkey")
    try:
        webauthn.parse_registration_response(credential)
        binding = webauthn.complete_registration(credential)
    except (ValidationError, TypeError, ValueError, KeyError, AttributeError):
        raise Invalid(_("The browser's answer does not fit. Start again."), code="passkey") from None
    new = binding.credential_data.credential_id
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        if webauthn.get_authenticator_by_credential_id(person, new) is not None:
            raise Conflict(_("This passkey is there already."), code="passkey_exists")
        made: Authenticator = webauthn.WebAuthn.add(person, called, credential).instance
        audit.record("factor.added", actor=person, on=person, factor=str(Type.WEBAUTHN), called=called)
    return made


def remove_factor(*, person: User, pk: int, now: datetime) -> None:
    """Remove the app or a passkey; with the last of them the recovery codes go too. Raises NotFound.

    Sessions stay: whoever removes it has just proved who he is.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        row = Authenticator.objects.filter(user=person, pk=pk).exclude(type=Type.RECOVERY_CODES).first()
        if row is None:
            raise NotFound
        called = row.data.get("name", "")
        row.delete()
        if not has_factor(person):
            Authenticator.objects.filter(user=person).delete()
        audit.record("factor.removed", actor=person, on=person, factor=str(row.type), called=called)


def make_recovery_codes(*, person: User) -> list[str]:
    """Ten new recovery codes; older ones work no more. Raises Conflict without an app or a passkey."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=person.pk)
        if not has_factor(person):
            raise Conflict(_("Set up an app or a passkey first; recovery codes stand in for them."), code="no_factor")
        Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).delete()
        codes: list[str] = RecoveryCodes.activate(person).generate_codes()
        audit.record("factor.added", actor=person, on=person, factor=str(Type.RECOVERY_CODES))
    return codes
