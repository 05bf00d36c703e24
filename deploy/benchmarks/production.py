"""The production topology for benchmarks: gunicorn and the worker on PostgreSQL and Redis, in a database of its own.

Without the proxy, which on two cores would share them with the clients that measure.
"""

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

from deploy.demo_process import ROOT, free_port

DATABASE = os.environ.get("SECONDLOOK_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("SECONDLOOK_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
START_S = 60
FIRST = "from deploy.first_start import first_person; first_person()"


def missing() -> str:
    """What is out of reach; empty when both services are there."""
    try:
        psycopg.connect(DATABASE, connect_timeout=2).close()
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except (psycopg.OperationalError, redis.RedisError) as error:
        return str(error).splitlines()[0]
    return ""


class Database:
    """A database on the server at `DATABASE`, made for a run and dropped after it."""

    def __init__(self) -> None:
        self.name = f"secondlook_bench_{secrets.token_hex(4)}"
        self.url = urlunsplit(urlsplit(DATABASE)._replace(path=f"/{self.name}"))

    def __enter__(self) -> Self:
        self.say(f"CREATE DATABASE {self.name}")
        return self

    def __exit__(self, *error: object) -> None:
        self.say(f"DROP DATABASE {self.name} WITH (FORCE)")

    def say(self, sentence: str) -> None:
        with psycopg.connect(DATABASE, autocommit=True) as connection:
            connection.execute(sentence.encode())


class Production:
    """gunicorn's API with two processes of four threads, and one worker, as docs/deployment.md starts them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.database = Database()
        self.at_end = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        self.at_end.enter_context(self.database)
        self.manage("migrate", "--verbosity=0")
        self.manage("shell", "--no-imports", "-c", FIRST)
        self.start("work", [sys.executable, "manage.py", "work"])
        self.start("api", gunicorn("deploy.wsgi:application", self.port))
        wait_for(f"http://127.0.0.1:{self.port}/api/v1/openapi.json")
        return self

    def __exit__(self, *error: object) -> None:
        self.at_end.close()

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
            "SECONDLOOK_DATA": str(self.folder),
            "SECONDLOOK_SECRET_KEY": "k-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
            "SECONDLOOK_HOSTS": "127.0.0.1,localhost",
            "SECONDLOOK_DATABASE_URL": self.database.url,
            "SECONDLOOK_REDIS_URL": REDIS,
            "SECONDLOOK_AUDIT_KEY": "b25seSBmb3IgdGhlIHN1aXRlLCBmb3Igc2VhbGluZy4=",
            "SECONDLOOK_AUDIT_ANCHORS": f"file:{self.folder}-anchor.txt",
            "SECONDLOOK_SSL_REDIRECT": "0",
        }

    def manage(self, *command: str) -> str:
        words = [sys.executable, "manage.py", *command]
        done = subprocess.run(words, cwd=ROOT, env=self.environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        return done.stdout.strip()

    def start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=log, stderr=log)
        self.at_end.callback(end, process)


def gunicorn(application: str, port: int) -> list[str]:
    sizes = ["--workers", "2", "--threads", "4", "--timeout", "120", "--keep-alive", "75"]
    quiet = ["--no-control-socket", "--log-level", "warning"]
    return [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", *sizes, *quiet]


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(address: str) -> None:
    """Until somebody answers, whatever he says. Raises RuntimeError."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{address} does not answer")
