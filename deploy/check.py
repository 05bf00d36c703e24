"""`make check`: every static check, all of them even when one fails."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "deploy.settings.production",
    "SECONDLOOK_SECRET_KEY": "check-only-" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SECONDLOOK_HOSTS": "desk.example",
    "SECONDLOOK_DATABASE_URL": "postgresql://check@127.0.0.1:5432/check",
    "SECONDLOOK_REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECONDLOOK_AUDIT_KEY": "Y2hlY2sgb25seSwgbmV2ZXIgZm9yIHNlYWxpbmcuLi4=",
    "SECONDLOOK_AUDIT_ANCHORS": "https://anchor.example/notes",
}
TEST = {"DJANGO_SETTINGS_MODULE": "deploy.settings.test"}


def templates() -> list[str]:
    return [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]


def steps() -> list[tuple[str, list[str], dict[str, str]]]:
    """(name, command, environment) of each check."""
    python, tools = sys.executable, Path(sys.executable).parent
    manage = [python, "manage.py"]
    return [
        ("format", [python, "-m", "ruff", "format", "--check", "--quiet", "."], {}),
        ("lint", [python, "-m", "ruff", "check", "--quiet", "."], {}),
        ("types", [python, "-m", "mypy", "accounts", "inference", "review", "deploy"], {}),
        ("import directions", [str(tools / "lint-imports"), "--no-cache"], {}),
        ("templates", [str(tools / "djade"), "--target-version", "6.0", "--check", *templates()], {}),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run", "--verbosity=1"], TEST),
        ("access rules", [*manage, "routes", "--json"], TEST),
        ("deployment", [*manage, "check", "--deploy", "--fail-level=WARNING"], PRODUCTION),
    ]


def main() -> None:
    failed = []
    for name, command, environment in steps():
        done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
        print(f"{'ok' if done.returncode == 0 else 'FAILED':<7} {name}", flush=True)  # noqa: T201
        if done.returncode:
            failed.append(name)
            print(done.stdout[-8000:] + done.stderr[-4000:], flush=True)  # noqa: T201
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
