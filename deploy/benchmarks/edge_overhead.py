"""What the edge agent costs beside decoding and inference, and how soon an action is done.

`python -m deploy.benchmarks.edge_overhead [--passes N] [--json]`; exit status 1 outside a budget.

The agent plays the demo's footage as fast as it can, every frame, with the demo's rules, and stores its events on disk.
Its processor time is compared with the part of it that was spent in inference plus what decoding the file alone takes:
within one run, because two runs on a shared machine differ by more than the agent costs.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import psutil  # type: ignore[import-untyped, unused-ignore]

from inference.edge import agent
from inference.edge.actions import Actions
from inference.edge.config import Config, load
from inference.edge.outbox import figures
from inference.vision.session import Detector

DEMO = Path(__file__).parents[1] / "demo"
CPU_BUDGET = 0.05
ACTION_BUDGET_MS = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=3, help="how often the footage is played")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.passes)
    print(json.dumps(result) if options.json else as_text(result))
    return 0 if result["more_cpu"] <= CPU_BUDGET and result["action_ms_p99"] < ACTION_BUDGET_MS else 1


def measure(passes: int) -> dict[str, float]:
    """Medians over passes of seconds of processor time, and the share by which the agent costs more."""
    cv2.setNumThreads(1)
    config = once(load(DEMO / "agent.toml"))
    run_agent(config, stopped=True)
    rounds = [one_pass(config) for _ in range(passes)]
    actions_ms = [value for each in rounds for value in each["actions_ms"]]
    return {
        "passes": passes,
        "frames": len(actions_ms),
        "events": sum(each["events"] for each in rounds),
        "plain_cpu_s": statistics.median(each["plain_s"] for each in rounds),
        "agent_cpu_s": statistics.median(each["agent_s"] for each in rounds),
        "more_cpu": statistics.median(each["agent_s"] / each["plain_s"] - 1 for each in rounds),
        "action_ms_p99": float(np.percentile(actions_ms, 99)),
    }


def as_text(result: dict[str, float]) -> str:
    return "\n".join(
        [
            f"{result['passes']:.0f} passes, {result['frames']:.0f} frames, {result['events']:.0f} events stored",
            f"decode + infer         {result['plain_cpu_s']:>7.2f} s of processor time per pass",
            f"the whole agent        {result['agent_cpu_s']:>7.2f} s",
            f"more                   {result['more_cpu'] * 100:>7.1f} %     budget <= {CPU_BUDGET * 100:.0f} %",
            f"rules to action, p99   {result['action_ms_p99']:>7.3f} ms    budget < {ACTION_BUDGET_MS:.0f} ms",
        ]
    )


def one_pass(config: Config) -> dict[str, Any]:
    """The agent over the footage once; starting and ending it is measured apart and taken off."""
    starting_s, _ = run_agent(config, stopped=True)
    decoding_s = decode()
    with Timed(Detector, "look", time.thread_time) as looks, Timed(Actions, "act", time.perf_counter) as actions:
        spent_s, events = run_agent(config, stopped=False)
    return {
        "plain_s": decoding_s + sum(looks.spent_s),
        "agent_s": spent_s - starting_s,
        "events": events,
        "actions_ms": [spent * 1e3 for spent in actions.spent_s],
    }


def run_agent(config: Config, *, stopped: bool) -> tuple[float, int]:
    """Processor time of a run and how many events it stored; `stopped` only starts it and ends it."""
    stop = threading.Event()
    if stopped:
        stop.set()
    with tempfile.TemporaryDirectory() as folder:
        setup = agent.Setup(config, DEMO, Path(folder), "http://127.0.0.1:9", "none")
        before = _cpu_s()
        agent.run(setup, stop)
        return _cpu_s() - before, figures(Path(folder))["last_seq"]


def decode() -> float:
    """Processor time of decoding the file, the decoder's own threads included."""
    before = _cpu_s()
    video = cv2.VideoCapture(str(DEMO / "yard.mp4"))
    while video.read()[0]:
        pass
    video.release()
    return _cpu_s() - before


def once(config: Config) -> Config:
    """The demo's configuration over one pass of the file, every frame, without waiting.

    `pending` allows about as many events as the demo's pace of one in 2 s does in the file's 15 s.
    """
    source = msgspec.structs.replace(config.source, loop=False, realtime=False, infer_every=1)
    pace = msgspec.structs.replace(config.pace, pending=7, repeat_every_s=None)
    return msgspec.structs.replace(config, source=source, pace=pace)


class Timed:
    """Notes how long each call of a method takes, by the given clock."""

    def __init__(self, owner: type, name: str, clock: Callable[[], float]) -> None:
        self.spent_s: list[float] = []
        self._owner, self._name, self._clock = owner, name, clock
        self._real: Callable[..., object] = getattr(owner, name)

    def __enter__(self) -> "Timed":
        def timed(*args: object, **kwargs: object) -> object:
            started = self._clock()
            result = self._real(*args, **kwargs)
            self.spent_s.append(self._clock() - started)
            return result

        setattr(self._owner, self._name, timed)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(self._owner, self._name, self._real)


def _cpu_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
