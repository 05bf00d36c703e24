"""One-time links with which somebody sets a password: for a new account, or a forgotten password.

The link holds Django's own signed proof: bound to the account, its present password and its last sign-in, so it is over
when it was used, when he signs in otherwise, or after `PASSWORD_RESET_TIMEOUT` (three days).
"""

from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse

from accounts.exceptions import NotFound
from accounts.models import User


def path_for(person: User) -> str:
    """The path of a new link. It lets its holder in as this person: show it once, keep it nowhere."""
    return reverse("set-password", args=[person.public_id, default_token_generator.make_token(person)])


def person_behind(public_id: UUID, proof: str) -> User:
    """The active person whose link this is. Raises NotFound for one that is over, and for any other text."""
    person = User.objects.filter(public_id=public_id, is_active=True).first()
    if person is None or not default_token_generator.check_token(person, proof):
        raise NotFound
    return person
