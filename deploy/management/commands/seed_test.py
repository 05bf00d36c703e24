"""Two sites with everybody and everything that a check from outside needs."""

import json
import secrets
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts.actions.grants import give
from accounts.actions.people import create_person
from accounts.actions.tokens import issue
from accounts.models import PersonalToken, User
from accounts.models.grant import Scope
from accounts.roles import Role
from deploy import credentials
from deploy.first_start import coco_classes, with_keys
from inference.actions.sites import create_camera, create_site, create_source, register_model_version
from inference.models import Camera, Site
from review.actions.policies import publish
from review.actions.setup import create_queue
from review.actions.starting import basic_rules
from review.models import Queue

SITE_ROLES = [Role.OPERATOR, Role.SUPERVISOR, Role.ML_ENGINEER, Role.FLEET_ENGINEER, Role.AUDITOR]
INDUSTRIAL = ["scratch", "dent", "crack", "missing part", "defect", "ok"]


class Command(BaseCommand):
    help = (
        "Make two test sites with one person per role, sources, tokens and canary strings. Each call makes two new "
        "sites, so that a check always finds them untouched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            seeded = seed(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(seeded))
            return
        for site in seeded["sites"]:
            self.stdout.write(f"{site['slug']}: canary {site['canary']}")
            for role, person in site["people"].items():
                self.stdout.write(f"  {role:<15} {person['login']}  {person['password']}")
            for source in site["sources"]:
                self.stdout.write(f"  source at {source['camera']}  {source['token']}")
        self.stdout.write(f"admin: {seeded['admin']['login']}  {seeded['admin']['password']}")


def seed(now: datetime) -> dict[str, Any]:
    mark = secrets.token_hex(3)
    sites = [seed_site(letter, mark, now) for letter in ("a", "b")]
    admin = person(f"admin-{mark}", "Test administrator", Role.ADMINISTRATOR, None, now)
    return {"sites": sites, "admin": admin}


def seed_site(letter: str, mark: str, now: datetime) -> dict[str, Any]:
    slug, canary = f"site-{letter}-{mark}", f"canary-{letter}-{secrets.token_hex(6)}"
    site = create_site(slug=slug, name=f"Site {letter.upper()} {canary}", maker=None, now=now, registers_models=True)
    cameras = [
        create_camera(site=site, slug=name, name=f"{name} {canary}", maker=None)
        for name in ("line-3-top", "line-3-side")
    ]
    queues = make_queues(site, canary, now)
    register_model_version(site=site, name="person-detector", version="1.2.0", maker=None, classes=coco_classes())
    people = {
        role.value: person(f"{role.value}-{letter}-{mark}", f"{role.label} {canary}", role, site, now)
        for role in SITE_ROLES
    }
    return {
        "id": str(site.pk),
        "slug": slug,
        "canary": canary,
        "people": people,
        "sources": [source(site, camera) for camera in cameras],
        "queues": [{"id": str(queue.pk), "slug": queue.slug} for queue in queues],
    }


def make_queues(site: Site, canary: str, now: datetime) -> list[Queue]:
    classes = coco_classes() + INDUSTRIAL
    taxonomy = with_keys(site, "objects", f"Objects {canary}", classes, ["person", "car", "truck", "bird"])
    queues = [
        create_queue(site=site, slug=slug, name=f"{name} {canary}", taxonomy=taxonomy, maker=None, now=now)
        for slug, name in (("unsure", "Unsure"), ("escalated", "Escalated"))
    ]
    rules = basic_rules(queues[0])
    banded = {"classes": ["person", "bird"], "bands": {"person": [0.25, 1.0], "bird": [0.25, 1.0]}}
    rules.insert(0, {"name": "bands", "kinds": ["unsure"], "queue": queues[0], "priority": 3} | banded)
    publish(site=site, rules=rules, person=None, reason="test", now=now)
    return queues


def source(site: Site, camera: Camera) -> dict[str, str]:
    _source, token = create_source(site=site, camera=camera, name=f"{camera.slug} gateway", maker=None)
    return {"token": token, "camera": camera.slug}


def person(login: str, name: str, role: Role, site: Site | None, now: datetime) -> dict[str, str]:
    password = credentials.new_password()
    made: User = create_person(username=login, name=name, password=password, maker=None, now=now)
    scope, pk = (Scope.SITE, site.pk) if site else (Scope.EVERYWHERE, None)
    give(person=made, role=role, scope=scope, scope_id=pk, reason="test", giver=None, now=now)
    _token, secret = issue(person=made, name="test", scopes=list(PersonalToken.SCOPES), now=now)
    return {"login": login, "password": password, "token": secret}
