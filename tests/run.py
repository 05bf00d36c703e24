"""`make test`: the suite on SQLite, and on PostgreSQL with the Redis channel layer when they are in reach.

With CI=true a service out of reach, a missing browser or a skipped test is a failure.
"""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

DATABASE = os.environ.get("SECONDLOOK_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/secondlook")
REDIS = os.environ.get("SECONDLOOK_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
CI = os.environ.get("CI") == "true"
# What has nothing to do with the database runs once.
ONCE = [
    "--ignore=tests/inference/vision",
    "--ignore=tests/inference/edge",
    "--ignore=tests/inference/client",
    "--ignore=tests/review/uploads/test_predictions.py",
    "--deselect=tests/review/test_clips.py::test_any_damage_is_a_fault_with_a_code",
    "--ignore=tests/browser",
    "--ignore=tests/faults",
    "--deselect=tests/review/test_access.py::test_a_method_that_a_door_lacks_is_405_for_everybody",
    "--ignore=tests/threats/test_browser_side.py",
    "--ignore=tests/threats/test_schema.py",
    "--ignore=tests/threats/test_sockets.py",
    *(f"--ignore=tests/deploy/test_{name}.py" for name in ("demo", "lan", "limits", "limits_server", "proxies")),
    *(f"--ignore=tests/deploy/test_{name}.py" for name in ("proxy", "tls")),
]


def in_reach(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


def run(name: str, arguments: list[str], environment: dict[str, str]) -> int:
    print(f"\n=== {name}", flush=True)  # noqa: T201
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", *arguments, *sys.argv[1:]]
    # Each server that a test starts would compile all of the product anew.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    kept = {key: value for key, value in kept.items() if not key.startswith("SECONDLOOK_TEST_")}
    return subprocess.run(command, env=kept | environment).returncode


def main() -> None:
    codes = [run("SQLite, in-memory channel layer", [], {})]
    missing = [address.split("@")[-1] for address in (DATABASE, REDIS) if not in_reach(address)]
    if missing:
        print(f"\n=== not run on PostgreSQL and Redis: out of reach: {', '.join(missing)}", flush=True)  # noqa: T201
        codes.append(1 if CI else 0)
    else:
        services = {"SECONDLOOK_TEST_DATABASE_URL": DATABASE, "SECONDLOOK_TEST_REDIS_URL": REDIS}
        codes.append(run("PostgreSQL, Redis channel layer", ONCE, services))
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
