"""Where sources are looked for when somebody asks who may open them."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.access import Visitor
from accounts.explain import Door, Needs, register
from accounts.roles import Right
from inference.access import sources_for
from inference.models import Source


def register_doors() -> None:
    register("sources", Door(_("Source"), find_source, source_needs))


def find_source(visitor: Visitor, pk: UUID) -> Source | None:
    return sources_for(visitor).filter(pk=pk).first()


def source_needs(source: Source) -> list[Needs]:
    return [Needs(Right.SEE_SOURCES, source.site_id)]
