"""A PostgreSQL and a Redis that belong to one test: on free ports, with everything in its folder, and gone with it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import redis

from deploy.demo_process import free_port

START_S = 30


def wait(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_S
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Service:
    """A process that is started, frozen, killed, and always ended. Killing the test kills it as well."""

    command: list[str]
    account: list[str] = []

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        with (self.folder / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.account, *self.command], cwd="/", stdout=log, stderr=log
            )
        wait(self.answers, (self.folder / "console.log").read_text()[-2000:])

    def everyone(self) -> list[psutil.Process]:
        """The process and its children; none when it is over."""
        if self.process is None or self.process.poll() is not None:
            return []
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def tell(self, number: signal.Signals) -> None:
        for one in self.everyone():
            try:
                one.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def freeze(self) -> None:
        self.tell(signal.SIGSTOP)

    def resume(self) -> None:
        self.tell(signal.SIGCONT)

    def stop(self) -> None:
        """In order, with everything written; what is still connected is cut off."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def kill(self) -> None:
        """At once and for good: nothing is said, nothing is flushed."""
        gone = self.everyone()
        self.tell(signal.SIGKILL)
        psutil.wait_procs(gone, 10)
        if self.process is not None:
            self.process.wait(10)


class Postgres(Service):
    """A cluster of its own, run by an account that is not root."""

    name = "secondlook"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.bin = binaries()
        self.data = str(folder / "data")
        options = [
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            "fsync=off",
            "max_connections=40",
        ]
        self.command = [str(self.bin / "postgres"), "-D", self.data, "-p", str(self.port)]
        self.command += [word for one in options for word in ("-c", one)]
        if os.getuid() == 0:
            self.account = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
            shutil.chown(folder, "postgres")

    def address(self, name: str = name) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def make(self) -> None:
        self.as_account(str(self.bin / "initdb"), "-D", self.data, "-A", "trust", "-U", "postgres", "-N")
        self.start()
        self.renew()

    def copy_of(self, other: "Postgres") -> None:
        """Start on what another cluster, which is stopped, has."""
        self.as_account("cp", "-a", other.data, self.data)
        self.start()

    def as_account(self, *command: str) -> None:
        words = ["setpriv", "--pdeathsig", "KILL", *self.account, *command]
        subprocess.run(words, cwd="/", check=True, capture_output=True, timeout=60)

    def renew(self) -> None:
        """An empty database in place of the one that is there."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {self.name}")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Service):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.command = [
            "redis-server",
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, socket_timeout=2)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def binaries() -> Path:
    """The newest PostgreSQL's folder of tools."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def missing() -> str:
    """What this machine lacks for private services; empty when it has everything."""
    lacking = [name for name in ("setpriv", "redis-server") if shutil.which(name) is None]
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        lacking.append("PostgreSQL's server binaries in /usr/lib/postgresql")
    return ", ".join(lacking)
