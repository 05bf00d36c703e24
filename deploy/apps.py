from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeployConfig(AppConfig):
    name = "deploy"

    def ready(self) -> None:
        import deploy.checks  # noqa: F401

        # After the other apps' own, so that the permissions of every model are there.
        post_migrate.connect(derive_rights, sender=self, dispatch_uid="derive_rights")
        post_migrate.connect(give_running_role_its_rights, sender=self, dispatch_uid="database_roles")


def derive_rights(*, using: str, **_signal: Any) -> None:
    """What a new version lets a role do, people who hold the role can do after `migrate`."""
    from django.db import transaction
    from django.utils import timezone

    from accounts.actions.permissions import derive_all
    from accounts.models import Grant

    now = timezone.now()
    if using != "default" or not Grant.objects.live(now).exists():
        return
    with transaction.atomic():
        derive_all(now=now)


def give_running_role_its_rights(*, using: str, **_signal: Any) -> None:
    """New tables come with few rights for the role that the server runs under: the migrating one gives the rest."""
    from django.conf import settings
    from django.db import connections

    from deploy.database import roles

    connection, role = connections[using], settings.SECONDLOOK["RUNTIME_ROLE"]
    if not role or connection.vendor != "postgresql" or role == roles.current_role(connection):
        return
    if roles.exists(connection, role) and not roles.state(connection, role).good:
        roles.apply(connection, role)
