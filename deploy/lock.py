"""Writes the hash-locked requirements: names, versions and hashes only, never an index address."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTS = {
    "edge": ["build"],
    "frigate": ["build", "frigate"],
    "server": ["build", "server"],
    "dev": ["build", "server", "dev"],
}
OPTIONS = [
    "--universal",
    "--python-version=3.12",
    "--generate-hashes",
    "--no-annotate",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--upgrade",
    "--quiet",
]


def main() -> None:
    for name, extras in LISTS.items():
        out = ROOT / "deploy" / "requirements" / f"{name}.txt"
        chosen = [f"--extra={extra}" for extra in extras]
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *chosen, *OPTIONS, "-o", str(out)]
        subprocess.run(command, cwd=ROOT, check=True)
        text = out.read_text(encoding="utf-8")
        if "://" in text:
            sys.exit(f"{out.name} names an address; lock again without find-links or extra indexes.")
        print(f"{out.relative_to(ROOT)}: {text.count('==')} packages")  # noqa: T201


if __name__ == "__main__":
    main()
