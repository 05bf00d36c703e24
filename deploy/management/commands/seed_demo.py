"""The cordoned yard of the demo, a second site, and one person per role."""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.actions.grants import give
from accounts.actions.people import create_person
from accounts.models import User
from accounts.models.grant import Scope
from accounts.roles import Role
from deploy import credentials
from deploy.first_start import coco_classes, with_keys
from inference.actions.sites import create_camera, create_site, create_source, register_model_version
from inference.models import Site
from review.actions.policies import publish
from review.actions.retention import bound_by_default
from review.actions.setup import create_queue
from review.actions.starting import basic_rules
from review.models import Queue

KEPT = "demo"
NOT_EMPTY = (
    "This installation is in real use, and the demo would mix with it. "
    "Give the demo a folder of its own: SECONDLOOK_DATA=var-demo make demo"
)
IMPLAUSIBLE = ["bird", "dog", "skis", "sports ball", "traffic light", "skateboard", "kite", "surfboard"]
DOUBTFUL = ["person", "car", "truck", "bicycle", "backpack", "handbag", "suitcase"]
FLOOR = 0.40
GUIDE = """The yard is cordoned off. People in hi-vis jackets walk along it, a van stands in it.

- Mark every person and every vehicle, also those that are partly hidden.
- A jacket on the grass, a cone or a tape is nothing: take the box away."""
PEOPLE = {
    "operator": ("Olu Operator", Role.OPERATOR, "yard"),
    "supervisor": ("Sam Supervisor", Role.SUPERVISOR, "yard"),
    "mlengineer": ("Mika ML engineer", Role.ML_ENGINEER, "yard"),
    "fleet": ("Flo Fleet engineer", Role.FLEET_ENGINEER, "yard"),
    "auditor": ("Ada Auditor", Role.AUDITOR, None),
    "admin": ("Ari Administrator", Role.ADMINISTRATOR, None),
    "dock-operator": ("Dee Operator", Role.OPERATOR, "dock"),
}


class Command(BaseCommand):
    help = "Make the demo's sites, people and source, once; print who can sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        if not credentials.load(KEPT) or not Site.objects.exists():
            if User.objects.exists():
                raise CommandError(NOT_EMPTY)
            with transaction.atomic():
                credentials.keep(KEPT, seed(timezone.now()))
        kept = credentials.load(KEPT)
        self.stdout.write("Sign in as:")
        for login, person in kept["people"].items():
            self.stdout.write(f"  {login:<14} {person['password']}   {person['role']}, {person['where']}")


def seed(now: datetime) -> dict[str, Any]:
    """Make everything; passwords and the agent's token, to be kept."""
    sites = {"yard": yard(now), "dock": dock(now)}
    source, token = create_source(
        site=sites["yard"], camera=sites["yard"].cameras.get(slug="yard-1"), name="yard gateway", maker=None
    )
    people = {login: person(login, *about, sites, now) for login, about in PEOPLE.items()}
    return {"people": people, "source": {"name": source.name, "token": token}}


def person(
    login: str, name: str, role: Role, site: str | None, sites: dict[str, Site], now: datetime
) -> dict[str, str]:
    password = credentials.new_password()
    made: User = create_person(username=login, name=name, password=password, maker=None, now=now)
    scope, pk = (Scope.SITE, sites[site].pk) if site else (Scope.EVERYWHERE, None)
    give(person=made, role=role, scope=scope, scope_id=pk, reason="demo", giver=None, now=now)
    where = sites[site].name if site else "everywhere"
    return {"password": password, "role": str(role.label), "where": where}


def yard(now: datetime) -> Site:
    site = create_site(slug="yard", name="Yard", maker=None, now=now, time_zone="Europe/London")
    bound_by_default(site=site, now=now)
    create_camera(site=site, slug="yard-1", name="Yard 1, north mast", maker=None)
    taxonomy = with_keys(site, "yard", "Yard", coco_classes(), ["person", "car", "truck", "bicycle"])
    unsure = create_queue(
        site=site, slug="unsure", name="Yard · unsure", taxonomy=taxonomy, maker=None, now=now, guide=GUIDE
    )
    senior = create_queue(
        site=site,
        slug="second-opinion",
        name="Yard · hard cases",
        taxonomy=taxonomy,
        maker=None,
        now=now,
        guide=GUIDE,
        due_in=timedelta(days=1),
    )
    model = agent_config()["model"]
    register_model_version(
        site=site,
        name=model["name"],
        version=model["version"],
        sha256=model["sha256"],
        classes=coco_classes(),
        model_input={"size": [416, 416], "layout": "NCHW", "colour": "BGR", "resize": "stretch"},
        maker=None,
    )
    publish(site=site, rules=yard_rules(unsure, senior), person=None, reason="demo", now=now)
    return site


def agent_config() -> dict[str, Any]:
    """The demo device's configuration, which names the model that it runs."""
    with (Path(settings.BASE_DIR) / "deploy" / "demo" / "agent.toml").open("rb") as file:
        return tomllib.load(file)


def yard_rules(unsure: Queue, senior: Queue) -> list[dict[str, Any]]:
    return [
        {
            "name": "implausible",
            "classes": IMPLAUSIBLE,
            "bands": {name: [FLOOR, 1.0] for name in IMPLAUSIBLE},
            "explanation": "This class cannot be in a cordoned yard.",
            "queue": unsure,
            "priority": 2,
            "due_in": timedelta(minutes=30),
        },
        {
            "name": "unsure",
            "classes": DOUBTFUL,
            "bands": {name: [FLOOR, 0.60] for name in DOUBTFUL},
            "queue": unsure,
            "priority": 3,
            "due_in": timedelta(hours=2),
        },
        {"name": "reports", "kinds": ["report"], "queue": senior, "priority": 1},
        {
            "name": "other doubts",
            "classes": [name for name in coco_classes() if name not in {*IMPLAUSIBLE, *DOUBTFUL}],
            "low": FLOOR,
            "high": 0.60,
            "queue": unsure,
            "priority": 3,
        },
        {
            "name": "sample",
            "kinds": ["sample"],
            "explanation": "A sample of what the model is sure of, so that missed things become visible.",
            "queue": unsure,
            "priority": 4,
        },
        {"name": "everything else passes", "queue": None},
    ]


def dock(now: datetime) -> Site:
    """The second site: its people and its queue must never show at the yard."""
    site = create_site(slug="dock", name="Dock", maker=None, now=now, registers_models=True)
    bound_by_default(site=site, now=now)
    create_camera(site=site, slug="dock-1", name="Dock 1", maker=None)
    taxonomy = with_keys(site, "dock", "Dock", coco_classes(), ["person", "truck"])
    queue = create_queue(site=site, slug="unsure", name="Dock · unsure", taxonomy=taxonomy, maker=None, now=now)
    publish(site=site, rules=basic_rules(queue), person=None, reason="demo", now=now)
    return site
