from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeployConfig(AppConfig):
    name = "deploy"

    def ready(self) -> None:
        # After the other apps' own, so that the permissions of every model are there.
        post_migrate.connect(derive_rights, sender=self, dispatch_uid="derive_rights")


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
