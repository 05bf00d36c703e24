"""Starting and stopping the parts, in order."""

import json
import os
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]

from deploy.reference.plan import ROOT, Plan

START_S, STOP_S = 120, 30


def start(plan: Plan) -> str:
    """Bring everything up and wait until it is ready. Raises RuntimeError with the log of what did not come up."""
    if running(plan):
        raise RuntimeError(f"It runs already: {', '.join(running(plan))}. First: python -m deploy.reference stop")
    plan.prepare()
    for command in plan.preparations():
        done = subprocess.run(command, cwd=ROOT, env=plan.owner_environment(), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-3000:]}")
    plan.configuration.write_text(plan.proxy().text(), encoding="utf-8")
    kept = {name: launch(plan, name, command) for name, command in plan.processes().items()}
    pids(plan).write_text(json.dumps(kept), encoding="utf-8")
    try:
        wait_ready(plan)
    except RuntimeError:
        stop(plan)
        raise
    return f"Second Look: {plan.address}   (trust {plan.authority.own.certificate}; logs in {plan.run})"


def launch(plan: Plan, name: str, command: list[str]) -> dict[str, float]:
    """One process of its own session; how it can be known again is its number and the time it was made."""
    with (plan.run / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=plan.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return {"pid": process.pid, "made": psutil.Process(process.pid).create_time()}


def wait_ready(plan: Plan) -> None:
    trusting = ssl.create_default_context(cafile=str(plan.authority.own.certificate))
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        dead = set(plan.processes()) - set(running(plan))
        if dead:
            raise RuntimeError("\n".join(f"{name} ended:\n{tail(plan.run / f'{name}.log')}" for name in sorted(dead)))
        try:
            for path in ("/readyz", "/api/v1/openapi.json"):
                urllib.request.urlopen(f"{plan.address}{path}", timeout=5, context=trusting).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            return
    raise RuntimeError(f"It did not get ready within {START_S} s; logs are in {plan.run}.")


def stop(plan: Plan) -> str:
    """End what was started, the proxy first, by its number and only when it is still the same process."""
    found = running(plan)
    for name in sorted(found, key=lambda name: name != "nginx"):
        found[name].send_signal(signal.SIGQUIT if name == "nginx" else signal.SIGTERM)
    _gone, alive = psutil.wait_procs(found.values(), timeout=STOP_S)
    for process in alive:
        os.killpg(process.pid, signal.SIGKILL)
    pids(plan).unlink(missing_ok=True)
    return f"stopped: {', '.join(sorted(found)) or 'nothing ran'}"


def status(plan: Plan) -> str:
    found = running(plan)
    return "\n".join(f"{name:<6} {'runs' if name in found else 'is not there'}" for name in plan.processes())


def running(plan: Plan) -> "dict[str, psutil.Process]":
    """The processes of this plan that are alive."""
    if not pids(plan).exists():
        return {}
    kept: dict[str, dict[str, float]] = json.loads(pids(plan).read_text(encoding="utf-8"))
    found = {}
    for name, known in kept.items():
        try:
            process = psutil.Process(int(known["pid"]))
            if process.create_time() == known["made"] and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
        except psutil.NoSuchProcess:
            continue
    return found


def pids(plan: Plan) -> Path:
    return plan.run / "pids.json"


def tail(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-2000:] if path.exists() else ""
