from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = _("Sites and models")

    def ready(self) -> None:
        from inference.explain import register_doors

        register_doors()
