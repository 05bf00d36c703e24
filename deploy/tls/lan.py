"""`serve --lan`: names, certificate, and what people are told."""

import os
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from deploy.listening import Files, Listening
from deploy.tls import machine
from deploy.tls.authority import Authority, CannotCertify, Names
from deploy.tls.own import names_of
from deploy.tls.trust import how_to_trust


def prepare(
    *, host: str | None, port: int, names: Sequence[str], own: Files | None, redirect_port: int | None
) -> tuple[Listening, list[str]]:
    """Have a certificate, allow exactly its names, and say where to go. Raises CannotCertify."""
    if os.environ.get("SECONDLOOK_TLS") != "1":
        raise CannotCertify(_("Start it as `manage.py serve --lan`, so that cookies are kept to TLS from the start."))
    hosts = (host,) if host else tuple(machine.private_addresses())
    called = names_of(own.certificate, own.key, timezone.now()) if own else Names.of(own_names(names, hosts))
    authority = None if own else Authority(Path(settings.DATA_DIR) / "tls")
    if authority:
        authority.prepare(called, timezone.now())
    allow(called)
    listening = Listening(
        hosts=hosts,
        port=port,
        tls=own or (authority.server if authority else None),
        names=tuple(called.allowed_hosts),
        redirect_port=redirect_port,
        renew=(lambda: authority.prepare(called, timezone.now())) if authority else None,
    )
    return listening, [*what_is_plain(listening), *(how_to_trust(authority, listening.address) if authority else [])]


def own_names(names: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Names that people type before those of the machine, and addresses last: passkeys work with a name only."""
    return [*names, *machine.host_names(), "localhost", *hosts]


def own_files(certificate: Path | None, key: Path | None) -> Files | None:
    if (certificate is None) != (key is None):
        raise CannotCertify(_("Give both --certificate and --key, or neither."))
    return Files(certificate, key) if certificate and key else None


def allow(names: Names) -> None:
    """Requests under exactly the certificate's names are served."""
    settings.ALLOWED_HOSTS = names.allowed_hosts


def what_is_plain(listening: Listening) -> list[str]:
    if listening.redirect_port:
        return [
            _("Plain HTTP on port {plain} leads to {address}").format(
                plain=listening.redirect_port, address=listening.address
            )
        ]
    return [_("There is no plain HTTP: addresses begin with https://. To lead people there: --redirect-port 8080")]
