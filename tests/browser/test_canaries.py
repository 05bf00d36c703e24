"""Script in every text that anybody can set, and every page looked at by everybody: it stays text."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from accounts.roles import Role
from inference.models import Camera
from tests.doors import PAGES, Caller, Door, World, make_world
from tests.factories import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CANARIES = [
    "<script>__xss=1</script><img src=/xss onerror=__xss=2>",
    "</script><div hx-get=/xss hx-trigger=load>x</div>\"'`",
    'javascript:__xss=3//"><svg/onload=__xss=4>\\"};__xss=5//',
]
# Names of things that the server makes itself, or that are looked up by their exact text.
MADE_BY_US = {
    "action",
    "answer",
    "colour",
    "content_type",
    "digest",
    "kind",
    "object_pk",
    "password",
    "previous_hash",
    "public_id",
    "removed_why",
    "role",
    "scope",
    "session_data",
    "session_key",
    "sha256",
    "state",
    "status",
    "task",
    "time_zone",
    "token_hash",
    "verb",
    "zone",
}
PLACES = ("accounts", "inference", "review")


@pytest.fixture(autouse=True, scope="module")
def rows_beside_a_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, beside which Django refuses to read rows unless told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


def poison(canary: str) -> int:
    """Put `canary` into every free text of every row; how many columns were changed."""
    changed = 0
    for model in [model for app in PLACES for model in apps.get_app_config(app).get_models()]:
        texts = [field for field in model._meta.concrete_fields if is_free_text(field)]
        trees = [field for field in model._meta.concrete_fields if isinstance(field, models.JSONField)]
        for number, row in enumerate(model._default_manager.all()):
            values = {field.name: f"{number}{canary}"[: field.max_length or 200] for field in texts}
            if getattr(row, "retired_at", row) is None:
                # What is in use says nothing about why it is not.
                values.pop("retired_because", None)
            values |= {field.name: poisoned(getattr(row, field.name), canary) for field in trees}
            if values:
                model._default_manager.filter(pk=row.pk).update(**values)
                changed += len(values)
    return changed


def is_free_text(field: Any) -> bool:
    # A hash or a code is shorter than any sentence, or always of one length.
    plain = isinstance(field, models.CharField | models.TextField) and not isinstance(field, models.SlugField)
    named = any(field.name == name or field.name.endswith(f"_{name}") for name in MADE_BY_US)
    return plain and not field.choices and not field.primary_key and not named and (field.max_length or 99) >= 60


def poisoned(value: Any, canary: str) -> Any:
    """A JSON tree with the canary in its words: class names, notes, what the source added."""
    words = {"class", "note", "reason", "name", "rule", "rule_name", "text", "answer_text", "version", "slug"}
    if isinstance(value, dict):
        return {
            key: canary if key in words and isinstance(one, str) else poisoned(one, canary)
            for key, one in value.items()
        }
    return [poisoned(one, canary) for one in value] if isinstance(value, list) else value


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


class Witness:
    """Remembers what no page may do."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("dialog", lambda dialog: (self.seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda asked: self.seen.append(asked.url) if "/xss" in asked.url else None)
        page.on("console", lambda said: self.seen.append(said.text) if "Content Security" in said.text else None)


# What is no page: the browser's own viewer styles these inline, which their policy forbids, as it should.
NO_PAGES = ("/media/", "files/", ".zip", ".json", "/picture/")


def pages_of(role: Role) -> list[Door]:
    shown = [one for one in PAGES if one.method == "GET" and role in one.allowed]
    return [one for one in shown if not any(part in one.path for part in NO_PAGES)]


def enter(context: BrowserContext, person: User, address: str) -> None:
    client = Client()
    sign_in(client, person)
    name = settings.SESSION_COOKIE_NAME
    context.clear_cookies()
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])


def look(page: Page, live_server: Any, world: World, one: Door) -> bool:
    """Open a page and let its scripts run; whether it showed a canary."""
    address = live_server.url + Caller(None, api=False).address(one, world)
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    assert answer.status < 500, address
    page.wait_for_timeout(50)
    assert page.evaluate("() => window.__xss") is None, address
    shown: bool = page.evaluate("() => document.body.innerText.includes('xss')")
    return shown


@pytest.mark.parametrize("number", range(len(CANARIES)))
def test_no_text_that_anybody_sets_becomes_more_than_text(
    transactional_db: None, live_server: Any, context: BrowserContext, number: int
) -> None:
    """A60: every page as every role with the first canary, every page once with the others."""
    world = make_world()
    Camera.objects.create(
        site=world.place.site, slug="old", name="Old", retired_at=timezone.now(), retired_because="sold"
    )
    assert poison(CANARIES[number]) > 50
    page, seen_at = context.new_page(), set()
    witness, visited = Witness(page), set[str]()
    for role in Role:
        enter(context, world.people[role], live_server.url)
        for one in pages_of(role):
            if number and one.path in visited:
                continue
            visited.add(one.path)
            if look(page, live_server, world, one):
                seen_at.add(one.path)
    assert not witness.seen
    # The control: it was really there to be seen, on many a page.
    assert len(seen_at) >= 8, sorted(seen_at)
