from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and audit")

    def ready(self) -> None:
        from accounts import departures
        from accounts.actions.shifts import finish_for_departure
        from accounts.append_only import after_migrate
        from accounts.seal import checks, waiting  # noqa: F401 - checks register themselves

        # Sent once per app; one of them is enough, and by then every app's tables are there.
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="append_only")
        post_migrate.connect(waiting.after_migrate, sender=self, dispatch_uid="unsealed")
        departures.register(finish_for_departure)
