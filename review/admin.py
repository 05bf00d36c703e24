"""Support desk: queues, taxonomies, policies and verdicts, to look at."""

from django.contrib import admin
from django_tasks_db.admin import DBTaskResultAdmin
from django_tasks_db.models import DBTaskResult

from accounts.support import ReadOnly
from review.models import Policy, Queue, Rule, Taxonomy, TaxonomyClass, Verdict

admin.site.unregister(DBTaskResult)


@admin.register(DBTaskResult)
class TaskAdmin(ReadOnly, DBTaskResultAdmin):  # type: ignore[misc]
    """Background tasks, for those who may look at the rest as well."""


@admin.register(Queue)
class QueueAdmin(ReadOnly):
    list_display = ["name", "slug", "site", "taxonomy", "due_in", "undo_window"]
    list_select_related = ["site", "taxonomy"]


class ClassLines(admin.TabularInline):  # type: ignore[type-arg]
    model = TaxonomyClass
    can_delete = False


@admin.register(Taxonomy)
class TaxonomyAdmin(ReadOnly):
    list_display = ["name", "slug", "site"]
    list_select_related = ["site"]
    inlines = [ClassLines]


class RuleLines(admin.StackedInline):  # type: ignore[type-arg]
    model = Rule
    can_delete = False


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    list_display = ["site", "version", "state", "created_by", "live_at", "reason"]
    list_filter = ["state"]
    list_select_related = ["site", "created_by"]
    inlines = [RuleLines]


@admin.register(Verdict)
class VerdictAdmin(ReadOnly):
    list_display = ["created_at", "person", "answer", "item", "complete"]
    list_filter = ["answer"]
    search_fields = ["id", "item__id"]
    list_select_related = ["person", "item"]
