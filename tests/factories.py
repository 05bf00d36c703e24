"""Small builders of what tests need. They go through the actions, so that rows are as in real life."""

import hashlib
import io
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from PIL import Image

from accounts.actions.grants import give
from accounts.actions.people import create_person
from accounts.actions.tokens import issue
from accounts.ids import new_id
from accounts.models import Grant, PersonalToken, User
from accounts.models.grant import Scope
from accounts.roles import Role
from inference.actions.sites import create_camera, create_site, create_source, register_model_version
from inference.models import Camera, ModelVersion, Site, Source
from review import schemas
from review.actions.claims import claim_next
from review.actions.intake import Taken, take_in
from review.actions.policies import publish
from review.actions.setup import create_queue, create_taxonomy
from review.actions.verdicts import Given, give_verdict
from review.models import Claim, Item, Policy, Queue, Taxonomy

PASSWORD = "correct-horse-battery"
CLASSES = ["person", "bird", "car", "truck", "skis"]


@dataclass
class Place:
    """A site with all that it needs to take events in."""

    site: Site
    camera: Camera
    source: Source
    token: str
    taxonomy: Taxonomy
    queue: Queue
    policy: Policy
    model: ModelVersion


def make_place(slug: str, *, undo_window: timedelta = timedelta(seconds=8)) -> Place:
    now = timezone.now()
    site = create_site(slug=slug, name=slug.title(), maker=None, now=now)
    camera = create_camera(site=site, slug="cam-1", name=f"{slug} cam 1", maker=None)
    source, token = create_source(site=site, camera=camera, name=f"{slug} gateway", maker=None)
    taxonomy = create_taxonomy(site=site, slug="objects", name="Objects", classes=CLASSES, maker=None)
    queue = create_queue(
        site=site, slug="unsure", name=f"{slug} unsure", taxonomy=taxonomy, maker=None, now=now, undo_window=undo_window
    )
    model = register_model_version(site=site, name="detector", version="1.0", maker=None, classes=CLASSES)
    policy = publish(site=site, rules=rules(queue), person=None, reason="test", now=now)
    return Place(site, camera, source, token, taxonomy, queue, policy, model)


def rules(queue: Queue) -> list[dict[str, Any]]:
    """Doubtful persons and birds are looked at, samples too; the rest passes."""
    return [
        {
            "name": "unsure",
            "classes": ["person", "bird"],
            "bands": {"person": [0.25, 0.6], "bird": [0.25, 0.6]},
            "queue": queue,
            "priority": 3,
        },
        {"name": "sample", "kinds": ["sample"], "queue": queue, "priority": 4},
        {"name": "rest", "queue": None},
    ]


def make_person(username: str, role: Role | None = None, site: Site | None = None) -> User:
    person = create_person(username=username, name=username.title(), password=PASSWORD, maker=None, now=timezone.now())
    if role is not None:
        give_role(person, role, site)
    return person


def give_role(
    person: User, role: Role, site: Site | None = None, *, queue: Queue | None = None, ends_at: datetime | None = None
) -> Grant:
    """A role at a site, at a queue, or everywhere."""
    scope, pk = (Scope.QUEUE, queue.pk) if queue else (Scope.SITE, site.pk) if site else (Scope.EVERYWHERE, None)
    return give(
        person=person,
        role=role,
        scope=scope,
        scope_id=pk,
        reason="test",
        giver=None,
        now=timezone.now(),
        ends_at=ends_at,
    )


def sign_in(client: Any, person: User, *methods: str, minutes_ago: float = 0) -> None:
    """A session of `person` in a test client as after a full sign-in: `password` unless `methods` are named."""
    client.force_login(person)
    session = client.session
    session["account_authentication_methods_user"] = str(person.pk)
    session["account_authentication_methods"] = [
        record_of(one, time.time() - minutes_ago * 60) for one in methods or ("password",)
    ]
    session.save()


def record_of(method: str, at: float) -> dict[str, Any]:
    """A proof of identity as django-allauth keeps it in the session."""
    if method in {"totp", "webauthn", "recovery_codes"}:
        return {"method": "mfa", "type": method, "id": 1, "at": at}
    return {"method": method, "at": at}


def make_token(person: User, scopes: list[str] | None = None) -> str:
    _row, secret = issue(person=person, name="test", scopes=scopes or list(PersonalToken.SCOPES), now=timezone.now())
    return secret


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token, for Django's test client."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def jpeg(colour: tuple[int, int, int] = (90, 120, 90), size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **options)
    return out.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def event_body(*, picture: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """An event as a source posts it: one doubtful bird and one confident person."""
    body: dict[str, Any] = {
        "event_id": str(new_id()),
        "captured_at": timezone.now().isoformat(),
        "kind": "unsure",
        "frame": {"width": 320, "height": 240},
        "model": {"name": "detector", "version": "1.0"},
        "task": "detection",
        "reporting_floor": 0.25,
        "thresholds": {"person": 0.6},
        "predictions": [
            {"id": "p1", "class": "bird", "confidence": 0.42, "box": [10.0, 20.0, 40.0, 50.0]},
            {"id": "p2", "class": "person", "confidence": 0.81, "box": [100.0, 60.0, 60.0, 120.0]},
        ],
        "subject": ["p1"],
        "evidence": [],
    }
    if picture is not None:
        body["evidence"] = [{"name": "frame", "role": "frame", "sha256": sha256(picture), "content_type": "image/jpeg"}]
    return body | changes


def post(place: Place, *, picture: bytes | None = None, now: datetime | None = None, **changes: Any) -> Taken:
    """Take an event in at `place`, as the API would."""
    body = event_body(picture=picture, **changes)
    posted = schemas.read(schemas.EventIn, body)
    files = {} if picture is None else {"frame": picture}
    return take_in(source=place.source, posted=posted, body=body, files=files, now=now or timezone.now())


def make_item(place: Place, **changes: Any) -> Item:
    """An open item at `place`, through intake and policy."""
    return post(place, **changes).event.items.get()


def claim(place: Place, person: User, now: datetime | None = None) -> Claim:
    """A claim on the most urgent item of the place's queue."""
    found = claim_next(queue=place.queue, person=person, now=now or timezone.now())
    assert found is not None, "nothing to claim"
    return found


def answer_body(claim: Claim, answer: str = "confirm", **changes: Any) -> dict[str, Any]:
    """The body of a verdict on a claimed item."""
    body: dict[str, Any] = {
        "key": str(uuid4()),
        "claim_token": str(claim.token),
        "version": claim.item.version,
        "answer": answer,
    }
    if answer in {"confirm", "correct"}:
        body["complete"] = True
    return body | changes


def give_answer(claim: Claim, answer: str = "confirm", now: datetime | None = None, **changes: Any) -> Given:
    read = schemas.read(schemas.VerdictIn, answer_body(claim, answer, **changes))
    item = Item.objects.select_related("event", "queue", "queue__taxonomy").get(pk=claim.item_id)
    return give_verdict(item=item, person=claim.holder, answer=read, now=now or timezone.now())
