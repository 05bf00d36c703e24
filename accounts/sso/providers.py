"""The identity providers that settings name."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider. `name` is in addresses, `label` on the button; `issuer` is what identities are bound to.

    `mfa_values` are those of the claims `amr` or `acr` that say that it asked for a second factor.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    creates_accounts: bool
    groups_claim: str
    mfa_values: tuple[str, ...]
    scope: str

    def used_factor(self, claims: dict[str, Any]) -> bool:
        """Whether the claims of an ID token say that the person used a second factor there."""
        amr = claims.get("amr")
        said = [*(amr if isinstance(amr, list) else []), claims.get("acr")]
        return any(isinstance(one, str) and one in self.mfa_values for one in said)


def storable(text: str) -> str:
    """What of a provider's text a database can hold: no NUL, and no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def providers() -> dict[str, Provider]:
    """The configured providers by name."""
    found: dict[str, dict[str, Any]] = settings.SECONDLOOK["SSO"]
    return {name: made(name, value) for name, value in found.items()}


def made(name: str, value: dict[str, Any]) -> Provider:
    more = {"label": value["label"] or name, "mfa_values": tuple(value["mfa_values"])}
    return Provider(**value | more | {"name": name})
