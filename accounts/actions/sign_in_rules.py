"""Which roles need a second factor, and which groups of an identity provider stand for which roles."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, broadcast
from accounts.access import reach
from accounts.actions.permissions import one_at_a_time
from accounts.exceptions import Conflict, Invalid, NotFound
from accounts.models import Grant, GroupMapping, SignInRule, User
from accounts.models.grant import Scope
from accounts.reasons import said
from accounts.roles import Right, Role
from accounts.scopes import site_of

LONGEST_GROUP = 255


def require_administers_everything(actor: User, now: datetime) -> None:
    """Raise NotFound for anybody but an administrator everywhere: for others this page is not there."""
    if not reach(actor, Right.GRANT_ALL, now=now).everywhere:
        raise NotFound


def change_rules(*, required: set[Role], actor: User, reason: str, now: datetime) -> None:
    """Ask exactly the roles in `required` for a second factor, from the next page on.

    Raises Invalid without a reason, Conflict `unchanged` when this is so already.
    """
    why = said(reason, _("Say why the rule changes."))
    with transaction.atomic():
        one_at_a_time(now)
        require_administers_everything(actor, now)
        before = required_roles()
        if before == required:
            raise Conflict(_("It is so already."), code="unchanged")
        for role in Role:
            SignInRule.objects.update_or_create(role=role, defaults={"mfa_required": role in required})
        audit.record("sign_in_rules.changed", actor=actor, reason=why, before=sorted(before), after=sorted(required))
        apply_rules(now)


def required_roles() -> set[Role]:
    """The roles that need a second factor."""
    return {Role(role) for role in SignInRule.objects.filter(mfa_required=True).values_list("role", flat=True)}


def apply_rules(now: datetime) -> None:
    """Mark everybody who holds such a role, and tell the open pages of those for whom it changes."""
    holders = Grant.objects.live(now).filter(role__in=required_roles()).values("person")
    for needs, changed in (
        (True, User.objects.filter(pk__in=holders, needs_factor=False)),
        (False, User.objects.filter(needs_factor=True).exclude(pk__in=holders)),
    ):
        people = list(changed.values_list("pk", flat=True))
        User.objects.filter(pk__in=people).update(needs_factor=needs)
        for pk in people:
            broadcast.rights_changed(pk)


def map_group(
    *,
    issuer: str,
    group: str,
    role: Role,
    scope: Scope,
    scope_id: UUID | None,
    actor: User,
    reason: str,
    now: datetime,
) -> GroupMapping:
    """Let members of `group` hold `role` on the scope from their next single sign-on on.

    Raises Invalid for an unknown scope, an empty group or no reason, Conflict when this mapping exists.
    """
    why, group = said(reason, _("Say why this group gets the role.")), group.replace("\0", "").strip()
    if not 0 < len(group) <= LONGEST_GROUP:
        raise Invalid(_("The name of a group has 1 to 255 characters."), code="group_length")
    site_id = site_of(scope, scope_id)
    with transaction.atomic():
        require_administers_everything(actor, now)
        try:
            with transaction.atomic():
                made = GroupMapping.objects.create(
                    issuer=issuer,
                    group=group,
                    role=role,
                    scope_type=scope,
                    scope_id=scope_id,
                    reason=why,
                    made_by=actor,
                    made_at=now,
                )
        except IntegrityError:
            raise Conflict(_("This group has this role there already."), code="mapping_exists") from None
        audit.record("mapping.made", actor=actor, on=made, site_id=site_id, reason=why, **mapping_story(made))
    return made


def unmap_group(*, pk: UUID, actor: User, reason: str, now: datetime) -> None:
    """End a mapping. Its grants go at the next sign-on of each member; who never signs on again loses his by their own
    end, SECONDLOOK_SSO_HOURS after the last sign-on.

    Raises Refused, NotFound for one that is not there, and Invalid without a reason.
    """
    why = said(reason, _("Say why the mapping ends."))
    with transaction.atomic():
        require_administers_everything(actor, now)
        row = GroupMapping.objects.filter(pk=pk).first()
        if row is None or not GroupMapping.objects.filter(pk=pk).delete()[0]:
            raise NotFound
        audit.record("mapping.ended", actor=actor, on=row, reason=why, **mapping_story(row))


def mapping_story(row: GroupMapping) -> dict[str, Any]:
    return {
        "issuer": row.issuer,
        "group": row.group,
        "role": row.role,
        "scope": row.scope_type,
        "scope_id": str(row.scope_id) if row.scope_id else None,
    }
