"""Entry point of `manage.py` and of the console script `secondlook`."""

import os
import sys


def main() -> None:
    """Run one management command; settings default to the embedded ones."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings.embedded")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make demo` or `make serve`, or use .venv's python.")
    execute_from_command_line(sys.argv)
