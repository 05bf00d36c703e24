"""Nothing changes through a door without an entry: each unsafe route of the matrix is called and leaves one."""

import pytest
from django.db import transaction

from accounts.models import AuditEntry
from accounts.roles import Role
from tests.doors import API, PAGES, Caller, Door, make_world

# What changes nothing that anybody would ask about, or nothing in the way that the matrix calls it.
LEAVES_NONE = {
    ("POST", "/me/keys/"): "which keys somebody presses changes nothing for anybody else; verdicts are entries",
    ("POST", "/claims/<uuid:pk>/heartbeat/"): "extends a live claim; the verdict says until when it held",
    ("PUT", "/api/v1/claims/<uuidstr:pk>"): "the same over the API",
    ("POST", "/lock/active/"): "somebody moved the mouse",
    ("POST", "/claims/<uuid:pk>/open/"): "this claim is on screen already",
    ("POST", "/queues/<uuid:pk>/desk/take/"): "no machine waits for this item",
    ("POST", "/queues/<uuid:pk>/desk/here/"): "somebody has the desk open; that ends by itself",
    ("POST", "/uploads/<uuid:pk>/files/"): "no file comes with it; the upload's begin and end are entries",
    ("POST", "/inbox/"): "no event waits for this name",
    ("POST", "/me/security/sessions/end/"): "the person has no other session",
    ("POST", "/me/workstation/share/"): "the form is sent without a site",
    ("POST", "/me/workstation/unshare/"): "this browser is no shared workstation",
    ("POST", "/me/workstation/pin/"): "this browser is no shared workstation",
}


def unsafe() -> list[Door]:
    return [one for one in PAGES + API if one.method not in {"GET", "HEAD"}]


def test_every_unsafe_route_leaves_an_entry_when_it_succeeds(db: None, subtests: pytest.Subtests) -> None:
    world = make_world()
    for one in unsafe():
        with subtests.test(str(one)), transaction.atomic():
            role = next(role for role in Role if role in one.allowed)
            last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            answer = Caller(world.people[role], one in API).call(one, world)
            written = AuditEntry.objects.filter(pk__gt=last).exclude(verb__startswith="attempt")
            if answer.status_code < 400:
                assert written.exists() or (one.method, one.path) in LEAVES_NONE, answer.status_code
            transaction.set_rollback(True)
