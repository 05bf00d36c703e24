"""Folders, ports and secrets of a reference deployment."""

import base64
import json
import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.limits.bodies import BodyLimits
from deploy.proxy.configuration import PREFIX, Proxy
from deploy.settings import env
from deploy.tls.authority import Authority, Names, write

ROOT = Path(__file__).resolve().parents[2]
PORT = 8443


@dataclass(frozen=True)
class Plan:
    """Everything lies in `data`; the proxy listens on `port`, the parts behind it on the next two."""

    data: Path
    port: int
    owner_url: str
    running_url: str
    redis_url: str

    @classmethod
    def of_environment(cls) -> "Plan":
        """Raises RuntimeError with what has to be set."""
        values = {
            name: os.environ.get(f"SECONDLOOK_{name}", "").strip()
            for name in ("DATA", "MIGRATION_DATABASE_URL", "DATABASE_URL", "REDIS_URL")
        }
        if missing := [f"SECONDLOOK_{name}" for name, value in values.items() if not value]:
            raise RuntimeError(f"Set {', '.join(missing)} (docs/deployment.md says what to).")
        return cls(
            data=Path(values["DATA"]).absolute(),
            port=env.integer("SECONDLOOK_REFERENCE_PORT", PORT, low=1024, high=65_000),
            owner_url=values["MIGRATION_DATABASE_URL"],
            running_url=values["DATABASE_URL"],
            redis_url=values["REDIS_URL"],
        )

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def authority(self) -> Authority:
        return Authority(self.data / "tls")

    def prepare(self) -> None:
        """Folders, secrets and a certificate; what is there stays."""
        for folder in (self.data, self.run, self.data / "media"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.authority.prepare(Names.of(["localhost", "127.0.0.1"]), datetime.now(UTC))
        if not self.kept.exists():
            made = {
                "SECONDLOOK_SECRET_KEY": secrets.token_urlsafe(50),
                "SECONDLOOK_AUDIT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            }
            write(self.kept, json.dumps(made).encode(), mode=0o600)

    @property
    def kept(self) -> Path:
        return self.data / "reference-secrets.json"

    def environment(self) -> dict[str, str]:
        """Of every process; what the caller has set beside it wins where it is not this plan's."""
        kept: dict[str, str] = json.loads(self.kept.read_text(encoding="utf-8"))
        ours = {
            "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
            "PYTHONPATH": str(ROOT),
            "SECONDLOOK_DATA": str(self.data),
            "SECONDLOOK_HOSTS": "localhost,127.0.0.1",
            "SECONDLOOK_DATABASE_URL": self.running_url,
            "SECONDLOOK_REDIS_URL": self.redis_url,
            "SECONDLOOK_ACCEL_PREFIX": PREFIX,
        }
        # Beside the data folder and on the same disk: enough to try it, too near to prove anything in real use.
        anchors = {"SECONDLOOK_AUDIT_ANCHORS": f"file:{self.data}-anchor.txt"}
        outer = {name: value for name, value in os.environ.items() if name != "SECONDLOOK_MIGRATION_DATABASE_URL"}
        return anchors | outer | kept | ours

    def owner_environment(self) -> dict[str, str]:
        """Of the commands that change tables; no process that serves has it."""
        return self.environment() | {"SECONDLOOK_MIGRATION_DATABASE_URL": self.owner_url}

    def preparations(self) -> list[list[str]]:
        manage = [sys.executable, "manage.py"]
        return [
            [*manage, "migrate", "--verbosity=0", "--no-input"],
            [*manage, "database_roles", "--apply"],
            [*manage, "collectstatic", "--verbosity=0", "--no-input"],
        ]

    def processes(self) -> dict[str, list[str]]:
        manage = [sys.executable, "manage.py"]
        return {
            "pages": [*manage, "web", "--port", str(self.port + 1)],
            "work": [*manage, "work"],
            "api": [
                *(sys.executable, "-m", "gunicorn", "deploy.wsgi:application"),
                *("--bind", f"127.0.0.1:{self.port + 2}", "--workers", "2", "--threads", "4", "--timeout", "120"),
                *("--graceful-timeout", "20", "--keep-alive", "75", "--worker-tmp-dir", str(self.run)),
                *("--no-control-socket", "--log-level", "warning"),
            ],
            "nginx": ["nginx", "-p", str(self.run), "-c", str(self.configuration), "-g", "daemon off;"],
        }

    @property
    def configuration(self) -> Path:
        return self.run / "nginx.conf"

    def proxy(self) -> Proxy:
        bounds = {
            "MAX_EVIDENCE_BYTES": env.integer("SECONDLOOK_MAX_EVIDENCE_BYTES", 25_000_000, low=1000, high=500_000_000),
            "MAX_EVENT_BYTES": env.integer("SECONDLOOK_MAX_EVENT_BYTES", 1_000_000, low=1000, high=20_000_000),
        }
        return Proxy(
            listen=f"127.0.0.1:{self.port}",
            names=("localhost", "127.0.0.1"),
            certificate=self.authority.server.certificate,
            key=self.authority.server.key,
            run=self.run,
            media=self.data / "media",
            pages_port=self.port + 1,
            api_port=self.port + 2,
            limits=BodyLimits.of(bounds),
        )
