"""The doors of the product as tables, and callers that try them.

Whoever adds a route adds a row to `PAGES` (sessions) or `API` (personal tokens) in the same commit: how the route is
called for an object of site A, and which roles of site A come in. Everything else of the matrix is generated from it
in tests/review/test_access.py and tests/threats/.
"""

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone

from accounts.actions import badges
from accounts.actions.invitations import invite
from accounts.actions.workstation import share
from accounts.models import AuditEntry, Badge, Grant, Invitation, PersonalToken, Session, User, Workstation
from accounts.models.grant import Scope
from accounts.roles import Role
from accounts.tokens import token_hash
from inference.models import PossibleClone
from review.actions.guides import add_example
from review.actions.retention import line_of, state_of
from review.actions.uploads import Wishes, add_file, begin_upload
from review.models import (
    Claim,
    Event,
    Evidence,
    GuideExample,
    Item,
    Kept,
    NameMap,
    Release,
    ReleaseFile,
    ReleaseState,
    UploadJob,
    Verdict,
)
from review.releases.store import ReleaseStore
from review.tasks.renditions import make_renditions
from tests import factories
from tests.factories import Place, bearer, claim, give_answer, jpeg, make_item, make_person, make_token, sign_in

CANARY = "canary-a"
O, S, M, F, A, D = Role  # operator, supervisor, ML engineer, fleet engineer, auditor, administrator  # noqa: E741
ALL = frozenset(Role)


@dataclass
class World:
    """Site A with one object of every kind and one person per role, and site B with its own people."""

    place: Place
    people: dict[Role, User]
    stranger: User
    claim: Claim
    waiting: Item
    verdict: Verdict
    event: Event
    evidence: Evidence
    release: Release
    grant: Grant
    token: PersonalToken
    workstation: Workstation
    badge: Badge
    upload: UploadJob

    def answer(self) -> dict[str, Any]:
        return factories.answer_body(self.claim)


def make_world() -> World:
    """Both sites, through the actions; needs the database."""
    place = factories.make_place(CANARY, undo_window=timedelta(hours=1))
    people = {role: make_person(f"{role.value}-{CANARY}", role, place.site) for role in Role}
    other = factories.make_place("site-b")
    stranger = make_person("stranger")
    for role in Role:
        factories.give_role(stranger, role, other.site)
    decided, held, waiting, _more = (make_item(place, picture=jpeg((shade, 9, 9))) for shade in (1, 60, 120, 180))
    verdict = give_answer(claim(place, people[O])).verdict
    assert verdict.item_id == decided.pk
    taken = claim(place, people[O])
    assert taken.item_id == held.pk
    evidence = Evidence.objects.order_by("stored_at")[0]
    make_renditions.func(str(evidence.pk))
    newcomer = factories.give_role(make_person(f"new-{CANARY}"), Role.OPERATOR, place.site)
    gate = share(name=f"gate {CANARY}", site_id=place.site.pk, maker=people[S], now=timezone.now())
    return World(
        place=place,
        people=people,
        stranger=stranger,
        claim=taken,
        waiting=waiting,
        verdict=verdict,
        event=decided.event,
        evidence=evidence,
        release=ready_release(place, people[M]),
        grant=newcomer,
        token=token_of(people[O]),
        workstation=gate,
        badge=badges.register(
            person=newcomer.person, number="04A1B2C3D4", name=f"card {CANARY}", maker=people[D], now=timezone.now()
        ),
        upload=begun_upload(place, people[O]),
    )


def begun_upload(place: Place, person: User) -> UploadJob:
    """An operator's upload with one picture, which nobody has sent yet."""
    now = timezone.now()
    wishes = Wishes(task="detection", note=f"note {CANARY}")
    job = begin_upload(person=person, site=place.site, camera=place.camera, wishes=wishes, now=now)
    add_file(job=job, name=f"{CANARY}.jpg", file=io.BytesIO(jpeg()), written_at=None, now=now)
    return job


def token_of(person: User) -> PersonalToken:
    make_token(person)
    return PersonalToken.objects.get(person=person)


def ready_release(place: Place, person: User) -> Release:
    now = timezone.now()
    made = Release.objects.create(
        site=place.site,
        taxonomy=place.taxonomy,
        number=1,
        name=f"release {CANARY}",
        state=ReleaseState.READY,
        recipe={},
        created_by=person,
        created_at=now,
        touched_at=now,
        ready_at=now,
    )
    for name in ("manifest.json", "coco/annotations.json"):
        sums = ReleaseStore(made.pk).put_bytes(name, f'{{"{CANARY}": 1}}'.encode())
        ReleaseFile.objects.create(release=made, name=name, size=sums.size, sha256=sums.sha256, crc32=sums.crc32)
    return made


@dataclass(frozen=True)
class Door:
    """One way in: how it is called for the object `pk` of site A, and which roles of site A come in."""

    method: str
    path: str
    allowed: frozenset[Role]
    pk: Callable[[World], Any] | None = None
    body: Callable[[World], Any] | None = None
    good: frozenset[int] = frozenset({200})
    extra: str = ""
    form: bool = False
    # Roles that are sent to a page which asks for more (a reason, a fresh sign-in) before it opens.
    asked: frozenset[Role] = frozenset()

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.extra}".strip()


def door(method: str, path: str, allowed: Any, pk: Any = None, **more: Any) -> Door:
    good = more.pop("good", {200})
    return Door(method, path, frozenset(allowed), pk, good=frozenset(good), **more)


def proof(world: World) -> dict[str, Any]:
    return {"claim_token": str(world.claim.token)}


def new_grant(world: World) -> dict[str, str]:
    return {
        "person": f"new-{CANARY}",
        "role": "operator",
        "scope": f"queue:{world.place.queue.pk}",
        "reason": "help",
    }


def class_map(world: World) -> Any:
    """The id of the one map of a class at site A."""
    found = NameMap.objects.filter(site=world.place.site).first()
    if found is not None:
        return found.pk
    return NameMap.objects.create(
        site=world.place.site, cause="class", value=f"{CANARY} word", class_name="person", created_at=timezone.now()
    ).pk


def possible_clone(world: World) -> dict[str, Any]:
    """What to say about the one possible clone of site A."""
    PossibleClone.objects.get_or_create(
        source=world.place.source, dismissed_at=None, defaults={"clue": "boots", "noticed_at": timezone.now()}
    )
    return {"reason": "a spare that was tried"}


def new_guide(world: World) -> dict[str, Any]:
    world.place.queue.refresh_from_db()
    return {"text": "Look twice.", "looked_at": world.place.queue.guide_version}


def new_example(world: World) -> dict[str, Any]:
    shows = world.place.taxonomy.classes.get(index=0).pk
    return {"queue": str(world.place.queue.pk), "shows": shows, "kind": "good"}


def example(world: World) -> Any:
    """The id of the one example in the guide of site A."""
    found = GuideExample.objects.filter(queue=world.place.queue, removed_in=None).first()
    return (
        found
        or add_example(
            queue=world.place.queue,
            event=world.event,
            class_id=world.place.taxonomy.classes.get(index=0).pk,
            box_of="",
            good=True,
            caption=CANARY,
            person=world.people[S],
            now=timezone.now(),
        )
    ).pk


def new_taxonomy(world: World) -> dict[str, str]:
    return {"site": str(world.place.site.pk), "name": "Newts", "classes": "newt"}


def reason(_world: World) -> dict[str, str]:
    return {"reason": "because"}


def shown_rules(world: World) -> dict[str, str]:
    """Rules of retention that were shown already, which is what lets them be saved."""
    shown = line_of({kept: (30 if kept == Kept.PASSED else None, None) for kept in Kept}, None)
    return {"days-passed": "30", "before": state_of(world.place.site), "shown": shown, "reason": "law"}


def new_name(world: World) -> dict[str, str]:
    return {"name": "Newer", "before": world.grant.person.name, "reason": "married"}


def new_account(world: World) -> dict[str, str]:
    return new_grant(world) | {"username": "just-made", "name": "Just Made"}


def new_person(world: World) -> Any:
    """Somebody who works at site A only."""
    return world.grant.person.public_id


def recipe(world: World) -> dict[str, Any]:
    """A release of the one verdict, which can no longer be undone by then."""
    Verdict.objects.update(final_at=timezone.now())
    return {"queues": [str(world.place.queue.pk)], "name": "x"}


def answered(world: World) -> str:
    """The entry of the verdict."""
    return numbered(AuditEntry.objects.get(verb="verdict.given", subject_id=world.event.pk).pk)


def numbered(pk: int) -> str:
    """A number as long as a UUID, so that answers about two of them are as long as each other."""
    return f"{pk % 10**36:036d}"


def unknown_pk(one: Door) -> Any:
    """An id that nothing has, of the kind that this door takes."""
    return numbered(uuid4().int) if "<int:" in one.path else uuid4()


def invitation(world: World) -> dict[str, str]:
    return {"name": "Somebody", "role": "operator", "scope": f"site:{world.place.site.pk}"}


def invited(world: World) -> Any:
    """The id of the one invitation that the supervisor of site A made."""
    found = Invitation.objects.filter(made_by=world.people[S]).first()
    if found is not None:
        return found.pk
    made, _token = invite(
        name="Somebody",
        email="",
        role=O,
        scope=Scope.SITE,
        scope_id=world.place.site.pk,
        maker=world.people[S],
        now=timezone.now(),
    )
    return made.pk


SEES_EVENTS = {O, S, M}
PAGES = [
    door("GET", "/people/", {S, D}),
    door("POST", "/people/", {S, D}, body=new_grant, good={302}, form=True),
    door(
        "POST",
        "/people/grants/<uuid:pk>/end/",
        {S, D},
        lambda w: w.grant.pk,
        body=lambda _w: {"reason": "over"},
        good={302},
        form=True,
    ),
    door("GET", "/accounts/reauthenticate/", ALL),
    door("POST", "/accounts/reauthenticate/", ALL, body=lambda _w: {"password": "x"}, good={422}, form=True),
    door("GET", "/me/security/", ALL),
    door("GET", "/me/security/password/", ALL),
    door("POST", "/me/security/password/", ALL, body=lambda _w: {"password": "x"}, good={422}, form=True),
    door("GET", "/me/security/app/", ALL),
    door("POST", "/me/security/app/", ALL, body=lambda _w: {"code": "x"}, good={422}, form=True),
    door("GET", "/me/security/passkeys/", ALL),
    door("POST", "/me/security/passkeys/", ALL, body=lambda _w: {"credential": "{}"}, good={422}, form=True),
    door("GET", "/me/security/codes/", ALL),
    door("POST", "/me/security/codes/", ALL, good={409}, form=True),
    door("POST", "/me/security/sessions/end/", ALL, body=lambda _w: {"session": "others"}, good={302}, form=True),
    door("GET", "/people/invitations/", {S, D}),
    door("POST", "/people/invitations/", {S, D}, body=invitation, form=True),
    door("POST", "/people/invitations/<uuid:pk>/revoke/", {S}, invited, good={302}, form=True),
    door(
        "POST",
        "/people/grants/<uuid:pk>/change/",
        {S, D},
        lambda w: w.grant.pk,
        body=lambda w: new_grant(w) | {"until": "week"},
        good={302},
        form=True,
    ),
    door("GET", "/people/roles/", {S, D}),
    door("GET", "/people/new/", {D}),
    door("POST", "/people/new/", {D}, body=new_account, form=True),
    door("GET", "/people/<uuid:pk>/", {S, D}, new_person),
    door("POST", "/people/<uuid:pk>/roles/", {S, D}, new_person, body=new_grant, good={302}, form=True),
    door("POST", "/people/<uuid:pk>/rename/", {D}, new_person, body=new_name, good={302}, form=True),
    door("POST", "/people/<uuid:pk>/deactivate/", {D}, new_person, body=reason, good={302}, form=True),
    # Nobody is deactivated in this world: the door opens and says so.
    door("POST", "/people/<uuid:pk>/reactivate/", {D}, new_person, body=reason, good={409}, form=True),
    door("POST", "/people/<uuid:pk>/password-link/", {D}, new_person, body=reason, form=True),
    door("POST", "/people/tokens/<uuid:pk>/revoke/", {D}, lambda w: w.token.pk, body=reason, good={302}, form=True),
    door("GET", "/me/", ALL),
    door("GET", "/me/tokens/", ALL),
    door("POST", "/me/tokens/", ALL, body=lambda _w: {"name": "t", "days": "7"}, good={422}, form=True),
    door("POST", "/me/tokens/<uuid:pk>/revoke/", {O}, lambda w: w.token.pk, good={302}, form=True),
    door("GET", "/people/workstations/", {S, D}),
    door(
        "POST",
        "/people/workstations/<uuid:pk>/",
        {S, D},
        lambda w: w.workstation.pk,
        body=lambda _w: {"name": "gate", "idle_minutes": "5"},
        good={302},
        form=True,
    ),
    door("POST", "/people/workstations/<uuid:pk>/retire/", {S, D}, lambda w: w.workstation.pk, good={302}, form=True),
    door(
        "POST",
        "/people/badges/",
        {S, D},
        body=lambda _w: {"person": f"new-{CANARY}", "number": "04FFEE0011"},
        good={302},
        form=True,
    ),
    door("POST", "/people/badges/<uuid:pk>/revoke/", {S, D}, lambda w: w.badge.pk, good={302}, form=True),
    door("GET", "/me/outbox-keys/", ALL),
    door("GET", "/me/workstation/", ALL),
    door("POST", "/me/workstation/share/", ALL, good={302}, form=True),
    door("POST", "/me/workstation/unshare/", ALL, good={302}, form=True),
    door("POST", "/me/workstation/pin/", ALL, good={302}, form=True),
    door("POST", "/lock/now/", ALL, good={302}, form=True),
    door("POST", "/lock/active/", ALL, good={204}, form=True),
    door("GET", "/audit/", ALL),
    door("GET", "/audit/<int:pk>/", {O, S, A, D}, answered),
    # Nothing is sealed here: who comes through the door is told so.
    door("GET", "/audit/<int:pk>/proof.json", {O, S, A, D}, answered, good={409}),
    door("GET", "/audit/story/<uuid:pk>/", {O, S, M, A, D}, lambda w: w.event.pk),
    # Without a purpose; with one it is a file (tests/accounts/test_audit_export.py).
    door("POST", "/audit/export/", ALL - {O}, good={422}, form=True),
    door("GET", "/sources/", ALL),
    door("GET", "/sources/<uuid:pk>/", {S, F, D}, lambda w: w.place.source.pk),
    door("GET", "/sites/", ALL),
    door("GET", "/sites/<uuid:pk>/", {S, F, D}, lambda w: w.place.site.pk),
    door("POST", "/sites/<uuid:pk>/", {F, D}, lambda w: w.place.site.pk, body=lambda _w: {}, good={422}, form=True),
    door("GET", "/cameras/", ALL),
    door(
        "POST",
        "/cameras/",
        {F, D},
        body=lambda w: {"site": str(w.place.site.pk), "name": "North mast"},
        good={302},
        form=True,
    ),
    door("GET", "/cameras/<uuid:pk>/", {S, F, D}, lambda w: w.place.camera.pk),
    door("POST", "/cameras/<uuid:pk>/", {F, D}, lambda w: w.place.camera.pk, body=lambda _w: {}, good={422}, form=True),
    # Without a reason; one that is retired is none of the matrix's cameras.
    *[
        door("POST", f"/cameras/<uuid:pk>/{verb}/", {F, D}, lambda w: w.place.camera.pk, good={422}, form=True)
        for verb in ("retire", "restore")
    ],
    *[
        door("POST", f"/sites/<uuid:pk>/{verb}/", {D}, lambda w: w.place.site.pk, good={422}, form=True)
        for verb in ("retire", "restore")
    ],
    *[
        door("POST", f"/policy/queues/<uuid:pk>/{verb}/", {S}, lambda w: w.place.queue.pk, good={422}, form=True)
        for verb in ("retire", "restore")
    ],
    door("GET", "/sources/connect/", {F, D}),
    door(
        "POST",
        "/sources/connect/",
        {F, D},
        body=lambda w: {"site": str(w.place.site.pk), "name": "gate", "camera": "gate 7"},
        form=True,
    ),
    door(
        "POST",
        "/sources/<uuid:pk>/rename/",
        {F, D},
        lambda w: w.place.source.pk,
        body=lambda _w: {"name": "north gate"},
        good={302},
        form=True,
    ),
    door(
        "POST",
        "/sources/<uuid:pk>/rate/",
        {F, D},
        lambda w: w.place.source.pk,
        body=lambda _w: {"events_per_second": "50"},
        good={302},
        form=True,
    ),
    door("GET", "/policy/queues/", ALL),
    door(
        "POST",
        "/policy/queues/",
        {S},
        body=lambda w: {"site": str(w.place.site.pk), "name": "Front door", "classes": "a\nb"},
        good={302},
        form=True,
    ),
    door("GET", "/policy/queues/<uuid:pk>/", {S}, lambda w: w.place.queue.pk),
    # Without what was there before; with it it is saved (tests/review/views/test_queue_settings.py).
    door(
        "POST", "/policy/queues/<uuid:pk>/", {S}, lambda w: w.place.queue.pk, body=lambda _w: {}, good={422}, form=True
    ),
    door("GET", "/retention/", {S}, good={302}),
    door("GET", "/retention/<uuid:pk>/", {S}, lambda w: w.place.site.pk),
    door("POST", "/retention/<uuid:pk>/", {S}, lambda w: w.place.site.pk, body=shown_rules, good={302}, form=True),
    door("POST", "/events/<uuid:pk>/legal-hold/", {S}, lambda w: w.event.pk, body=reason, good={302}, form=True),
    door("POST", "/sources/<uuid:pk>/rotate/", {F, D}, lambda w: w.place.source.pk, form=True),
    door(
        "POST",
        "/sources/<uuid:pk>/no-clone/",
        {F, D},
        lambda w: w.place.source.pk,
        body=lambda w: possible_clone(w),
        good={302},
        form=True,
    ),
    door("POST", "/sources/<uuid:pk>/revoke/", {F, D}, lambda w: w.place.source.pk, good={302}, form=True),
    door("GET", "/sources/<uuid:pk>/first/", {S, F, D}, lambda w: w.place.source.pk),
    door("GET", "/sources/<uuid:pk>/first/picture/", {S}, lambda w: w.place.source.pk),
    door("GET", "/sources/<uuid:pk>/events/", {S, F, D}, lambda w: w.place.source.pk),
    door("GET", "/", ALL, good={302}),
    door("GET", "/queues/", ALL),
    door("GET", "/queues/<uuid:pk>/row/", SEES_EVENTS, lambda w: w.place.queue.pk),
    door("GET", "/queues/<uuid:pk>/desk/", {O, S}, lambda w: w.place.queue.pk),
    door("GET", "/queues/<uuid:pk>/desk/counts/", {O, S}, lambda w: w.place.queue.pk),
    door("GET", "/queues/<uuid:pk>/desk/held/", {O, S}, lambda w: w.place.queue.pk),
    door(
        "POST",
        "/queues/<uuid:pk>/desk/take/",
        {O, S},
        lambda w: w.place.queue.pk,
        body=lambda w: {"item": str(w.waiting.pk)},
    ),
    door("POST", "/queues/<uuid:pk>/desk/here/", {O, S}, lambda w: w.place.queue.pk, good={204}),
    door("POST", "/queues/<uuid:pk>/desk/claim/", {O, S}, lambda w: w.place.queue.pk, body=lambda _w: {}),
    door("POST", "/claims/<uuid:pk>/open/", {O}, lambda w: w.claim.pk, body=proof),
    door("GET", "/claims/<uuid:pk>/picture/", {O}, lambda w: w.claim.pk),
    door("POST", "/claims/<uuid:pk>/heartbeat/", {O}, lambda w: w.claim.pk, body=proof),
    door("POST", "/claims/<uuid:pk>/release/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/skip/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/snooze/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/hand-back/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    door("POST", "/claims/<uuid:pk>/escalate/", {O}, lambda w: w.claim.pk, body=proof, good={204}),
    # A supervisor comes through the door and is told that the claim is not his.
    door("POST", "/items/<uuid:pk>/verdict/", {O, S}, lambda w: w.claim.item_id, body=World.answer, good={201, 409}),
    door("POST", "/verdicts/<uuid:pk>/undo/", {O}, lambda w: w.verdict.pk, body=lambda _w: {}),
    door("POST", "/me/keys/", ALL, body=lambda _w: {"bindings": {"skip": ["k"]}}),
    door("GET", "/me/answers/", ALL),
    door("GET", "/verdicts/<uuid:pk>/reopen/", {O, S}, lambda w: w.verdict.pk),
    # It is not final yet, which is said on the page.
    door("POST", "/verdicts/<uuid:pk>/reopen/", {O, S}, lambda w: w.verdict.pk, good={422}, form=True),
    door("GET", "/events/", ALL),
    door("GET", "/events/<uuid:pk>/", SEES_EVENTS, lambda w: w.event.pk, asked=frozenset({A})),
    door("GET", "/media/<uuid:pk>/<slug:kind>/", SEES_EVENTS, lambda w: w.evidence.pk, extra="thumbnail"),
    door("GET", "/media/<uuid:pk>/<slug:kind>/", SEES_EVENTS, lambda w: w.evidence.pk, extra="working"),
    door("GET", "/events/<uuid:pk>/open/", {A}, lambda w: w.event.pk),
    door(
        "POST",
        "/events/<uuid:pk>/open/",
        {A},
        lambda w: w.event.pk,
        body=lambda _w: {"reason": "complaint", "what": "event"},
        good={302},
        form=True,
    ),
    door("GET", "/media/<uuid:pk>/original/", {S}, lambda w: w.evidence.pk),
    door("GET", "/policy/", ALL, good={200, 302}),
    door("GET", "/policy/<uuid:pk>/", {S}, lambda w: w.place.site.pk),
    door(
        "POST",
        "/policy/<uuid:pk>/",
        {S},
        lambda w: w.place.site.pk,
        body=lambda _w: {"reason": "x"},
        good={422},
        form=True,
    ),
    door(
        "POST",
        "/inbox/maps/<uuid:pk>/end/",
        {S, M},
        class_map,
        body=lambda _w: {"reason": "wrong"},
        good={302},
        form=True,
    ),
    door("GET", "/inbox/", ALL),
    door("GET", "/models/", ALL),
    door("GET", "/models/<uuid:pk>/", {S, M, F, D}, lambda w: w.place.model.pk),
    door(
        "POST",
        "/models/<uuid:pk>/",
        {S, M},
        lambda w: w.place.model.pk,
        body=lambda w: {"value": f"{CANARY} word", "target": w.place.taxonomy.classes.get(index=0).name},
        good={302},
        form=True,
    ),
    door("GET", "/queues/<uuid:pk>/guide/", SEES_EVENTS, lambda w: w.place.queue.pk),
    door("POST", "/queues/<uuid:pk>/guide/", {S}, lambda w: w.place.queue.pk, body=new_guide, good={302}, form=True),
    door("POST", "/events/<uuid:pk>/example/", {S}, lambda w: w.event.pk, body=new_example, good={302}, form=True),
    door("POST", "/guides/examples/<uuid:pk>/remove/", {S}, example, good={302}, form=True),
    door("GET", "/taxonomies/", ALL),
    door("POST", "/taxonomies/", {S, M}, body=new_taxonomy, good={302}, form=True),
    door("GET", "/taxonomies/<uuid:pk>/", {S, M}, lambda w: w.place.taxonomy.pk),
    door(
        "POST",
        "/taxonomies/<uuid:pk>/add/",
        {S, M},
        lambda w: w.place.taxonomy.pk,
        body=lambda _w: {"classes": "newt"},
        good={302},
        form=True,
    ),
    door(
        "POST",
        "/taxonomies/<uuid:pk>/attributes/",
        {S, M},
        lambda w: w.place.taxonomy.pk,
        body=lambda w: {"class_id": w.place.taxonomy.classes.get(index=0).pk, "name": "damaged"},
        good={302},
        form=True,
    ),
    door(
        "POST",
        "/taxonomies/<uuid:pk>/change/",
        {S, M},
        lambda w: w.place.taxonomy.pk,
        body=lambda w: {"class_id": w.place.taxonomy.classes.get(index=0).pk, "act": "change", "name": "renamed"},
        good={302},
        form=True,
    ),
    door(
        "POST",
        "/inbox/",
        {S, F, D},
        body=lambda w: {"site": str(w.place.site.pk), "kind": "camera", "value": "x"},
        good={302},
        form=True,
    ),
    door("GET", "/uploads/", ALL),
    # Nothing was chosen in the form.
    door("POST", "/uploads/", {O, S, F, D}, body=lambda _w: {"site": "x"}, good={422}, form=True),
    door("GET", "/uploads/<uuid:pk>/", {O, S, F, D}, lambda w: w.upload.pk),
    door("GET", "/uploads/<uuid:pk>/progress/", {O, S, F, D}, lambda w: w.upload.pk),
    door("GET", "/uploads/<uuid:pk>/files/", {O}, lambda w: w.upload.pk),
    door("POST", "/uploads/<uuid:pk>/files/", {O}, lambda w: w.upload.pk, good={302}, form=True),
    door("POST", "/uploads/<uuid:pk>/send/", {O}, lambda w: w.upload.pk, good={200, 302}, form=True),
    door("POST", "/uploads/<uuid:pk>/cancel/", {O, F, D}, lambda w: w.upload.pk, good={200, 302}, form=True),
    door("GET", "/releases/", ALL),
    door("POST", "/releases/", {M}, body=lambda _w: {"queues": "x"}, good={422}, form=True),
    door("GET", "/releases/<uuid:pk>/", {S, M, A}, lambda w: w.release.pk),
    door("GET", "/releases/<uuid:pk>/state/", {S, M, A}, lambda w: w.release.pk),
    door("GET", "/releases/<uuid:pk>/files/<path:name>", {S, M, A}, lambda w: w.release.pk, extra="manifest.json"),
    door("GET", "/releases/<uuid:pk>/files/<path:name>", {M}, lambda w: w.release.pk, extra="coco/annotations.json"),
    door("GET", "/releases/<uuid:pk>/archive.zip", {M}, lambda w: w.release.pk),
]
V1 = "/api/v1/"
API = [
    door("GET", V1 + "events", ALL),
    door("GET", V1 + "events/<uuidstr:pk>", SEES_EVENTS, lambda w: w.event.pk),
    door("GET", V1 + "queues", ALL),
    door("POST", V1 + "queues/<uuidstr:pk>/claims", {O, S}, lambda w: w.place.queue.pk, good={201}),
    door("PUT", V1 + "claims/<uuidstr:pk>", {O}, lambda w: w.claim.pk),
    door("DELETE", V1 + "claims/<uuidstr:pk>", {O}, lambda w: w.claim.pk, good={204}),
    door(
        "POST",
        V1 + "items/<uuidstr:pk>/verdicts",
        {O, S},
        lambda w: w.claim.item_id,
        body=World.answer,
        good={201, 409},
    ),
    door("GET", V1 + "verdicts", ALL),
    door("POST", V1 + "releases", {M}, body=recipe, good={202}),
    door("GET", V1 + "releases", ALL),
    door("GET", V1 + "releases/<uuidstr:pk>", {S, M}, lambda w: w.release.pk),
    door(
        "GET", V1 + "releases/<uuidstr:pk>/files/<path:name>", {S, M, A}, lambda w: w.release.pk, extra="manifest.json"
    ),
    door(
        "GET",
        V1 + "releases/<uuidstr:pk>/files/<path:name>",
        {M},
        lambda w: w.release.pk,
        extra="coco/annotations.json",
    ),
    door("GET", V1 + "releases/<uuidstr:pk>/archive", {M}, lambda w: w.release.pk),
]
# The doors of sources are tried in tests/review/api/test_events.py, the socket in tests/review/test_consumers.py, the
# support desk in tests/accounts/test_admin.py.
SOURCES = {
    ("GET", V1 + "source"),
    ("POST", V1 + "events"),
    ("POST", V1 + "events/batch"),
    ("PUT", V1 + "evidence/<sha256>"),
    ("GET", V1 + "evidence/<sha256>"),
    ("GET", V1 + "events/<uuidstr:pk>/answer"),
    ("POST", V1 + "counts"),
}
PUBLIC = {
    "/agent/<str:name>",
    "/healthz",
    "/metrics",
    "/trust/authority.crt",
    "/readyz",
    V1,
    V1 + "openapi.json",
    V1 + "docs",
    "/accounts/login/",
    "/accounts/logout/",
    "/accounts/signup/",
    "/accounts/code/",
    "/accounts/passkey/",
    "/accounts/join/",
    "/accounts/new-password/",
    "/accounts/sso/<slug:name>/",
    "/accounts/sso/<slug:name>/back/",
    # What a locked session still reaches: tests/accounts/test_lock.py.
    "/lock/",
    "/lock/unlock/",
    "/lock/leave/",
    "/lock/urgent/",
}
# Own things, and the pages of those who administer everything: tests/accounts/test_mfa.py and test_sso.py.
ELSEWHERE = {
    "/ws/live/",
    "/me/security/factors/<int:number>/remove/",
    "/me/security/identities/<uuid:pk>/unlink/",
    "/people/sign-in/",
    "/people/sign-in/mappings/",
    "/people/sign-in/mappings/<uuid:pk>/end/",
    # For who administers everything, whom this world has not: tests/inference/views/test_places.py.
    "/sites/new/",
}


def routes() -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("routes", "--json", stdout=out)
    found: list[dict[str, Any]] = json.loads(out.getvalue())
    return found


# Calling


# Loaded once for all clients; one that checks form tokens has its own.
SHARED = Client().handler
# How many calls the matrix made in this run, by what they tried; the terminal summary prints it.
TRIED: Counter[str] = Counter()
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@dataclass(frozen=True)
class Caller:
    """Somebody, as a session on pages or as a personal token on the API."""

    person: User | None
    api: bool
    htmx: bool = False

    def call(self, one: Door, world: World, pk: Any = None, *, tries: str = "roles") -> Any:
        """Call a door as its row says, for the object `pk` or that of site A."""
        body = one.body(world) if one.body else None
        if one.method == "GET":
            return self.send("GET", self.address(one, world, pk), tries=tries)
        if one.form:
            raw = encode_multipart(BOUNDARY, body or {})
            return self.send(one.method, self.address(one, world, pk), raw, MULTIPART_CONTENT, tries=tries)
        raw = b"" if body is None else json.dumps(body).encode()
        return self.send(one.method, self.address(one, world, pk), raw, tries=tries)

    def send(
        self,
        method: str,
        address: str,
        body: bytes = b"",
        kind: str = "application/json",
        *,
        headers: dict[str, str] | None = None,
        tries: str = "roles",
    ) -> Any:
        TRIED[tries] += 1
        path, _mark, query = address.partition("?")
        sent = (headers or {}) | ({"HX-Request": "true"} if self.htmx else {})
        kind = kind if method not in {"GET", "HEAD"} else ""
        return self.client().generic(method, path, body, kind, QUERY_STRING=query, headers=sent)

    def address(self, one: Door, world: World, pk: Any = None) -> str:
        wanted = pk or (one.pk(world) if one.pk else "")
        path = re.sub(r"<(uuid(str)?|int):\w+>", str(wanted), one.path)
        return re.sub(r"<(slug:kind|path:name)>", one.extra, path)

    def client(self) -> Client:
        """A client of its own each time, with the session or token that this person has already, if it still stands."""
        client = Client()
        client.handler = SHARED
        if self.person and self.api:
            client.defaults |= bearer(token_that_stands(self.person))
        elif self.person:
            client.cookies[settings.SESSION_COOKIE_NAME] = session_that_stands(self.person)
        return client


SESSIONS: dict[Any, str] = {}
TOKENS: dict[Any, str] = {}


def session_that_stands(person: User) -> str:
    if not Session.objects.filter(pk=SESSIONS.get(person.pk), person=person).exists():
        client = Client()
        client.handler = SHARED
        sign_in(client, person)
        SESSIONS[person.pk] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return SESSIONS[person.pk]


def token_that_stands(person: User) -> str:
    known = token_hash(TOKENS.get(person.pk, ""))
    if not PersonalToken.objects.filter(token_hash=known, person=person, revoked_at=None).exists():
        TOKENS[person.pk] = make_token(person)
    return TOKENS[person.pk]


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def neutral(answer: Any, pk: Any) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs from call to call: the id that was asked for, the request's id, form tokens."""
    body = content(answer).replace(str(pk).encode(), b"PK")
    body = re.sub(rb'"request_id": "[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|data-csrf="[^"]*"', b"", body)
    body = re.sub(rb'"X-CSRFToken": *"[^"]*"|content="[A-Za-z0-9]{64}"|nonce="[^"]*"', b"", body)
    left_out = {"X-Request-ID", "Set-Cookie"}
    return answer.status_code, {name: value for name, value in answer.items() if name not in left_out}, body


def ways(doors: list[Door]) -> Iterator[tuple[Door, bool]]:
    """Each door plainly, and as htmx asks for it."""
    for one in doors:
        yield one, False
        yield one, True
