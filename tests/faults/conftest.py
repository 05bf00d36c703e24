"""Servers of a test's own; whatever becomes of the test, they end and their folder goes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger
from tests.faults.product import Product
from tests.faults.services import Postgres, Redis, missing

SECRET = "fkq3-71xv-0zpt-9wdm-Yc8J-Ub2R-6Hs5-Ln4A-eGiT"
EMBEDDED = {"SECONDLOOK_SECRET_KEY": SECRET, "SECONDLOOK_MIN_FREE_BYTES": "0"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's own folders, into which the database's account may not look."""
    with tempfile.TemporaryDirectory(prefix="secondlook-fault-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def database(folder: Path, seeded_production: tuple[Postgres, Product]) -> Iterator[Postgres]:
    (folder / "postgres").mkdir()
    found = Postgres(folder / "postgres")
    with ExitStack() as at_end:
        at_end.callback(found.kill)
        found.copy_of(seeded_production[0])
        yield found


@pytest.fixture
def cache(folder: Path) -> Iterator[Redis]:
    require_services()
    (folder / "redis").mkdir()
    found = Redis(folder / "redis")
    with ExitStack() as at_end:
        at_end.callback(found.kill)
        found.start()
        yield found


def require_services() -> None:
    if lacking := missing():
        pytest.skip(f"needs {lacking}")


@pytest.fixture(scope="session")
def seeded() -> Iterator[Product]:
    """A data folder with two sites that each test on SQLite copies: making one takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="secondlook-fault-") as name:
        product = Product(Path(name) / "server", **EMBEDDED)
        product.manage("migrate", "--verbosity=0")
        product.seed()
        yield product


@pytest.fixture
def settings_module() -> str:
    """What `embedded` runs under; a test file may name its own."""
    return "deploy.settings.embedded"


@pytest.fixture
def embedded(folder: Path, seeded: Product, settings_module: str) -> Iterator[Product]:
    """`serve` as it is installed: SQLite, files and keys in one folder."""
    shutil.copytree(seeded.folder, folder / "server")
    product = Product(folder / "server", DJANGO_SETTINGS_MODULE=settings_module, **EMBEDDED)
    product.seeded = seeded.seeded
    with running(product):
        yield product


@pytest.fixture(scope="session")
def seeded_production() -> Iterator[tuple[Postgres, Product]]:
    """The same on PostgreSQL: a cluster that is stopped, to be copied, and the people and places in it."""
    require_services()
    with tempfile.TemporaryDirectory(prefix="secondlook-fault-") as name, ExitStack() as at_end:
        Path(name).chmod(0o755)
        (Path(name) / "postgres").mkdir()
        cluster = Postgres(Path(name) / "postgres")
        at_end.callback(cluster.kill)
        cluster.make()
        product = on_services(Path(name), cluster, "redis://127.0.0.1:1/0")
        product.manage("migrate", "--verbosity=0")
        product.seed()
        cluster.stop()
        yield cluster, product


@pytest.fixture
def answer_seconds() -> str:
    """How long a request may take in `production`; short, for what waits for a service that is away."""
    return "3"


@pytest.fixture
def production(
    folder: Path,
    database: Postgres,
    cache: Redis,
    seeded_production: tuple[Postgres, Product],
    answer_seconds: str,
) -> Iterator[Product]:
    """Production settings on the test's own PostgreSQL and Redis, over plain HTTP."""
    product = on_services(folder, database, cache.address)
    product.environment["SECONDLOOK_ANSWER_SECONDS"] = answer_seconds
    product.seeded = seeded_production[1].seeded
    with running(product):
        yield product


def on_services(folder: Path, database: Postgres, cache: str) -> Product:
    return Product(
        folder / "server",
        DJANGO_SETTINGS_MODULE="deploy.settings.production",
        SECONDLOOK_SECRET_KEY=SECRET,
        SECONDLOOK_HOSTS="127.0.0.1,localhost",
        SECONDLOOK_DATABASE_URL=database.address(),
        SECONDLOOK_REDIS_URL=cache,
        SECONDLOOK_AUDIT_KEY="b25seSBmb3IgdGhlIHN1aXRlLCBmb3Igc2VhbGluZy4=",
        SECONDLOOK_AUDIT_ANCHORS=f"file:{folder / 'anchor.txt'}",
        SECONDLOOK_SSL_REDIRECT="0",
        SECONDLOOK_MIN_FREE_BYTES="0",
    )


@contextmanager
def running(product: Product) -> Iterator[None]:
    """Started, and ended whatever becomes of it."""
    with ExitStack() as at_end:
        at_end.callback(product.end)
        product.start()
        yield


@pytest.fixture
def ledger(folder: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A source at the test's server, `embedded` or `production`, which posts from the start."""
    name = next(one for one in ("production", "embedded") if one in request.fixturenames)
    found = Ledger(request.getfixturevalue(name), folder / "ledger.jsonl")
    found.start()
    yield found
    found.stopping.set()
    found.join(15)
