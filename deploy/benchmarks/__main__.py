"""`make bench`: every benchmark in a process of its own, one after the other."""

import subprocess
import sys

BENCHMARKS = {
    "intake": "Intake",
    "hold": "A machine that waits for an answer",
    "flood": "Two sources, one of them flooding",
    "review": "Claim and verdict",
    "desk": "The desk in Chromium",
    "vision_pipeline": "Vision pipeline",
    "edge_overhead": "Edge agent",
    "release_rows": "Annotation files of a release",
    "audit_verify": "The sealed log",
}


def main() -> None:
    wanted = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(wanted) - set(BENCHMARKS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    failed = []
    for name in wanted:
        print(f"\n== {BENCHMARKS[name]}", flush=True)
        if subprocess.run([sys.executable, "-m", f"deploy.benchmarks.{name}"]).returncode:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
