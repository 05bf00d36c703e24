"""The product as processes: a server that can be killed, commands beside it, and a person's way in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.demo_process import ROOT, DemoProcess

COMMAND_S = 90
# Two test sites; a session of each person of the first one, as the sign-in page would make it.
SEED = """
import json
from django.conf import settings
from django.test import Client
from django.utils import timezone
from accounts.models import User
from deploy.management.commands.seed_test import seed
told = seed(timezone.now())
cookies = {}
for role, person in told["sites"][0]["people"].items():
    client = Client()
    client.force_login(User.objects.get(username=person["login"]))
    cookies[role] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
print(json.dumps(told | {"cookies": cookies}))
"""
CHECK = """
import json
from django.utils import timezone
from accounts.seal.verify import verify
from review.file_check import check_files
files, audit = check_files(now=timezone.now()), verify(anchor_files=[], since=0, accept_restore=True)
print(json.dumps({"files": files.missing_files + files.damaged + files.orphan_files, "audit": audit.as_json()}))
"""


class Product(DemoProcess):
    """`manage.py serve` with two seeded sites, and commands on the same data."""

    def __init__(self, folder: Path, **environment: str) -> None:
        super().__init__(folder, "serve", **environment)
        self.seeded: dict[str, Any] = {}

    def seed(self) -> None:
        self.seeded = json.loads(self.manage("shell", "--no-imports", "-c", SEED).stdout)

    def checked(self) -> dict[str, Any]:
        """What `fsck` and `verify_audit` find, in one process."""
        found: dict[str, Any] = json.loads(self.manage("shell", "--no-imports", "-c", CHECK).stdout)
        return found

    def manage(self, *command: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; with `fails` its exit code is the caller's business."""
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        environment = kept | {"SECONDLOOK_DATA": str(self.folder)} | self.environment
        words = [sys.executable, "manage.py", *command]
        done = subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=COMMAND_S
        )
        assert fails or done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done

    def end(self) -> None:
        """Whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    @property
    def site(self) -> dict[str, Any]:
        found: dict[str, Any] = self.seeded["sites"][0]
        return found

    @property
    def queue(self) -> str:
        return str(self.site["queues"][0]["id"])

    def client(self, token: str, timeout: float = 10) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", headers=headers, timeout=timeout)

    def operator(self) -> httpx.Client:
        return self.client(self.site["people"]["operator"]["token"])


def claimed(product: Product, client: httpx.Client) -> dict[str, Any]:
    """The most urgent item of the queue, claimed."""
    answer = client.post(f"/queues/{product.queue}/claims")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def confirmation(of: dict[str, Any]) -> dict[str, Any]:
    """The body of `confirm` for a claimed item."""
    claim = {"claim_token": of["claim"]["token"], "version": of["item"]["version"]}
    return claim | {"key": str(uuid4()), "answer": "confirm", "complete": True}


def review(product: Product, times: int) -> None:
    """Claim and answer some items; every one must be taken."""
    with product.operator() as client:
        for _time in range(times):
            one = claimed(product, client)
            answer = client.post(f"/items/{one['item']['id']}/verdicts", json=confirmation(one))
            assert answer.status_code in {200, 201}, answer.text
