"""An empty installation's first person, first site and first queue."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions.grants import give
from accounts.actions.people import create_person
from accounts.models import User
from accounts.models.grant import Scope
from accounts.roles import Role
from deploy import credentials
from inference.actions.sites import create_camera, create_site
from inference.models import Site
from review.actions.policies import publish
from review.actions.retention import bound_by_default
from review.actions.setup import create_queue, create_taxonomy
from review.actions.starting import basic_rules
from review.models import Taxonomy

OWNER = "owner"


def coco_classes() -> list[str]:
    """The 80 class names of COCO, in index order."""
    path = Path(settings.BASE_DIR) / "deploy" / "demo" / "coco80.txt"
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def first_person() -> list[str]:
    """Make the first person on an empty installation, who holds every role everywhere; lines to print about him."""
    if User.objects.exists():
        return ["These are the demo's data; `make demo-reset` forgets them."] if credentials.load("demo") else []
    now, password = timezone.now(), credentials.new_password()
    with transaction.atomic():
        person = create_person(username=OWNER, name="Owner", password=password, maker=None, now=now, is_staff=True)
        for role in Role:
            give(person=person, role=role, scope=Scope.EVERYWHERE, reason="first start", giver=None, now=now)
        site = first_site(now)
        # Before the commit: a start that breaks off leaves a password of nobody, and never a person without one.
        credentials.keep("first-person", {"login": OWNER, "password": password})
    return [
        "This is the first start. The first person holds every role everywhere:",
        f"  sign-in name {OWNER}   password {password}   (kept in {credentials.credentials_file('first-person')})",
        f"A first site “{site.name}” with a camera and a queue is there. Let something post to it:",
        f"  python manage.py issue_token --site {site.slug} --camera camera-1 --name my-camera",
    ]


def first_site(now: datetime) -> Site:
    """A site with one camera and one queue, ready for a source."""
    site = create_site(slug="site-1", name="First site", maker=None, now=now, registers_models=True)
    create_camera(site=site, slug="camera-1", name="Camera 1", maker=None)
    taxonomy = create_taxonomy(site=site, slug="objects", name="Objects", classes=coco_classes(), maker=None)
    queue = create_queue(site=site, slug="unsure", name="Unsure", taxonomy=taxonomy, maker=None, now=now)
    bound_by_default(site=site, now=now)
    publish(site=site, rules=basic_rules(queue), person=None, reason="first start", now=now)
    return site


def with_keys(site: Site, slug: str, name: str, classes: Sequence[str], frequent: Sequence[str]) -> Taxonomy:
    """A taxonomy whose `frequent` classes have the digits from 1 on."""
    keys = {label: str(number) for number, label in enumerate(frequent, start=1)}
    return create_taxonomy(site=site, slug=slug, name=name, classes=classes, maker=None, keys=keys)
