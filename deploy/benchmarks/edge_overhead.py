"""The edge agent beside plain decode + infer on the same footage: processor time, and how soon an action is done.

`python -m deploy.benchmarks.edge_overhead [--passes N] [--json]`; exit status 1 outside a budget. Each runs the demo's
footage in a process of its own, as fast as it can; the agent has the demo's rules and stores its events on disk.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import psutil

from inference.edge import agent
from inference.edge.actions import Actions, Done
from inference.edge.config import Config, RuleConfig, load
from inference.edge.outbox import figures
from inference.vision.session import Detector

DEMO = Path(__file__).parents[1] / "demo"
CPU_BUDGET = 0.05
ACTION_BUDGET_MS = 5.0
FRAMES = 150


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=3, help="how often each plays the footage")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rounds = [(apart(plain), apart(whole_agent)) for _ in range(options.passes)]
    plain_s = sum(bare["cpu_s"] for bare, _ in rounds)
    agent_s = sum(full["cpu_s"] for _, full in rounds)
    actions_ms = [value for _, full in rounds for value in full["actions_ms"]]
    result = {
        "frames": sum(full["frames"] for _, full in rounds),
        "events": sum(full["events"] for _, full in rounds),
        "plain_cpu_s": plain_s,
        "agent_cpu_s": agent_s,
        "more_cpu": agent_s / plain_s - 1,
        "actions": len(actions_ms),
        "action_ms_p99": float(np.percentile(actions_ms, 99)),
    }
    print(json.dumps(result) if options.json else as_text(result))
    return 0 if result["more_cpu"] <= CPU_BUDGET and result["action_ms_p99"] < ACTION_BUDGET_MS else 1


def as_text(result: dict[str, float]) -> str:
    return "\n".join(
        [
            f"frames {result['frames']:.0f}, events stored {result['events']:.0f}, actions {result['actions']:.0f}",
            f"plain decode + infer   {result['plain_cpu_s']:>7.2f} s of processor time",
            f"edge agent             {result['agent_cpu_s']:>7.2f} s of processor time",
            f"more                   {result['more_cpu'] * 100:>7.1f} %     budget <= {CPU_BUDGET * 100:.0f} %",
            f"rules to action, p99   {result['action_ms_p99']:>7.3f} ms    budget < {ACTION_BUDGET_MS:.0f} ms",
        ]
    )


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run in a fresh process, so that neither inherits the other's threads or caches."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_send, args=(there, work))
    process.start()
    result: dict[str, Any] = here.recv()
    process.join()
    return result


def _send(pipe: Connection, work: Callable[[], dict[str, Any]]) -> None:
    pipe.send(work())


def plain() -> dict[str, Any]:
    """Decode every frame of the file and look at it."""
    cv2.setNumThreads(1)
    config = load(DEMO / "agent.toml")
    detector = Detector.open(DEMO / config.model.path)
    before = _cpu_s()
    video = cv2.VideoCapture(str(DEMO / "yard.mp4"))
    frames = 0
    while True:
        ok, frame = video.read()
        if not ok:
            return {"frames": frames, "cpu_s": _cpu_s() - before}
        detector.detect(np.asarray(frame, np.uint8), config.reporting_floor)
        frames += 1


def whole_agent() -> dict[str, Any]:
    """The agent over the same file, with its rules, its action and its outbox; no server answers."""
    config = once(load(DEMO / "agent.toml"))
    timed = TimedActions()
    starting_s = [run_agent(config, stopped=True)[0] for _ in range(2)][-1]
    with timed:
        spent_s, events = run_agent(config, stopped=False)
    return {"frames": FRAMES, "cpu_s": spent_s - starting_s, "events": events, "actions_ms": timed.ms}


def run_agent(config: Config, *, stopped: bool) -> tuple[float, int]:
    """Processor time of a run and how many events it stored; `stopped` only starts it and ends it.

    The first start in a process also pays for loading libraries.
    """
    stop = threading.Event()
    if stopped:
        stop.set()
    with tempfile.TemporaryDirectory() as folder:
        setup = agent.Setup(config, DEMO, Path(folder), "http://127.0.0.1:9", "none")
        before = _cpu_s()
        agent.run(setup, stop)
        return _cpu_s() - before, figures(Path(folder))["last_seq"]


def once(config: Config) -> Config:
    """The demo's configuration over one pass of the file, every frame, without waiting.

    `pending` allows about as many events as the demo's pace of one in 2 s does in the file's 15 s.
    """
    source = msgspec.structs.replace(config.source, loop=False, realtime=False, infer_every=1)
    pace = msgspec.structs.replace(config.pace, pending=7, repeat_every_s=None)
    return msgspec.structs.replace(config, source=source, pace=pace)


class TimedActions:
    """Notes how long every decision about actions takes, the driver's call included."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self._real = Actions.act

    def __enter__(self) -> None:
        setattr(Actions, "act", self._timed())  # noqa: B010  a method is replaced for the time of the measurement

    def __exit__(self, *_: object) -> None:
        setattr(Actions, "act", self._real)  # noqa: B010  as above

    def _timed(self) -> Callable[..., Done | None]:
        def act(actions: Actions, rules: list[RuleConfig], monotonic_s: float, *, fresh: bool) -> Done | None:
            started = time.perf_counter()
            done = self._real(actions, rules, monotonic_s, fresh=fresh)
            self.ms.append((time.perf_counter() - started) * 1e3)
            return done

        return act


def _cpu_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
