from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = _("Review")

    def ready(self) -> None:
        from accounts import alarms, departures, urgent
        from review import triggers
        from review.actions.claims import give_back_all
        from review.actions.duties import leave
        from review.alarms import damaged_files, no_room, possible_clones
        from review.explain import register_doors
        from review.sealed import register_kinds
        from review.story import register_story
        from review.urgent import urgent_items

        pre_migrate.connect(triggers.before_migrate, sender=self, dispatch_uid="review triggers go")
        post_migrate.connect(triggers.after_migrate, sender=self, dispatch_uid="review triggers")
        urgent.register(urgent_items)
        departures.register(give_back_all)
        departures.register(leave)
        alarms.register(no_room)
        alarms.register(damaged_files)
        alarms.register(possible_clones)
        register_doors()
        register_kinds()
        register_story()
