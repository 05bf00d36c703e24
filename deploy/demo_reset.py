"""`make demo-reset`: forgets the demo's data, and nothing but a demo's."""

import shutil
import sys

from deploy.cli import data_folder


def main() -> None:
    folder = data_folder()
    if not folder.exists():
        sys.exit("There is no demo to forget.")
    if not (folder / "demo.json").exists():
        sys.exit(f"{folder} does not hold a demo. Nothing was deleted.")
    shutil.rmtree(folder)
    print("The demo is forgotten: database, files and passwords.")  # noqa: T201


if __name__ == "__main__":
    main()
