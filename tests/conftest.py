"""What every test may use: two sites, three fixed people, and a file store of its own."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.utils import timezone

from accounts import refusals
from accounts.models import User
from accounts.roles import Role
from inference.tallies import tallies
from inference.tokens import forget_tokens
from review import known, names
from review.actions import duties
from review.actions.routing import rules_of
from tests import factories
from tests.factories import Place


@dataclass(frozen=True)
class AtOnce:
    """Runs a call in threads that start together, each with database connections of its own."""

    def __call__[T](self, threads: int, call: Callable[[int], T]) -> list[T]:
        gate = Barrier(threads)

        def one(number: int) -> T:
            gate.wait(timeout=60)
            try:
                return call(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, range(threads)))


@pytest.fixture
def at_once(transactional_db: None) -> AtOnce:
    """Races; the test itself must be `django_db(transaction=True)`."""
    return AtOnce()


@pytest.fixture
def broadcasts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that were told something, in order."""
    told: list[str] = []
    monkeypatch.setattr("accounts.broadcast.send", lambda group, _message: told.append(group))
    return told


@pytest.fixture(autouse=True)
def file_store(settings: Any, tmp_path: Path) -> Path:
    """Every test writes its files into a folder of its own."""
    root = tmp_path / "media"
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}}
    settings.STORAGES = settings.STORAGES | {"default": default}
    settings.MEDIA_ROOT = root
    return root


@pytest.fixture(autouse=True)
def anchor_file(settings: Any, tmp_path: Path) -> Path:
    """Every test has an anchor of its own: the notes of another test's log would accuse this one's."""
    path = tmp_path / "anchor" / "notes.txt"
    settings.SECONDLOOK = settings.SECONDLOOK | {"AUDIT_ANCHORS": [f"file:{path}"]}
    return path


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """What a process keeps (rules, known names, trusted tokens, counts) means nothing to the next test."""
    for forget in (
        rules_of.cache_clear,
        known.forget,
        forget_tokens,
        refusals.forget,
        cache.clear,
        duties.forget,
        names.forget,
        tallies.forget,
    ):
        forget()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def place(db: None) -> Place:
    """The site that tests are about: a camera, a source, a taxonomy, a queue, a live policy."""
    return factories.make_place("yard")


@pytest.fixture
def elsewhere(db: None) -> Place:
    """Another site, whose objects must not exist for the people of `place`."""
    return factories.make_place("dock")


@pytest.fixture
def operator(place: Place) -> User:
    return factories.make_person("olu", Role.OPERATOR, place.site)


@pytest.fixture
def supervisor(place: Place) -> User:
    return factories.make_person("sam", Role.SUPERVISOR, place.site)


@pytest.fixture
def outsider(elsewhere: Place) -> User:
    """An operator and supervisor of another site: every right, and none of them here."""
    person = factories.make_person("out", Role.OPERATOR, elsewhere.site)
    factories.give_role(person, Role.SUPERVISOR, elsewhere.site)
    return person


# Fixtures that start or make something for a whole module (no name), or for all tests that use it: one worker has them.
SHARED = {"demo": "", "server": "", "seeded": "embedded", "seeded_production": "production"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out (not skip) what cannot mean anything on this database or channel layer; keep together what shares."""
    for item in items:
        if shared := SHARED.keys() & set(getattr(item, "fixturenames", ())):
            name = SHARED[min(shared)] or item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group(name))
    from django.conf import settings as configured

    vendor = configured.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    redis = "Redis" in configured.CHANNEL_LAYERS["default"]["BACKEND"]
    unfit = {"postgres": vendor != "postgresql", "redis": not redis}
    left_out = [item for item in items if any(unfit[mark.name] for mark in item.iter_markers() if mark.name in unfit)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test is a failure: there everything that the suite needs is in reach."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The size of the matrix of routes, roles and sites, when it ran."""
    from tests.doors import API, PAGES, TRIED

    if TRIED:
        parts = ", ".join(f"{count} {what}" for what, count in sorted(TRIED.items()))
        terminalreporter.write_line(f"matrix: {len(PAGES + API)} doors, {TRIED.total()} calls ({parts})")
