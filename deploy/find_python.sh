#!/bin/sh
# Print a Python that can run Second Look (3.12 or newer, with venv, pip and sqlite3).
# Candidates are run, not only found: a version manager's shim may be on the PATH and point nowhere.
set -u

works() {
    "$1" -c 'import sys, venv, ensurepip, sqlite3; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

candidates() {
    [ -n "${PYTHON:-}" ] && command -v "$PYTHON"
    for name in python3.14 python3.13 python3.12 python3 python; do
        command -v "$name" 2>/dev/null
    done
    if command -v pyenv >/dev/null 2>&1; then
        root=$(pyenv root 2>/dev/null)
    else
        root="${PYENV_ROOT:-$HOME/.pyenv}"
    fi
    ls -d "$root"/versions/3.1[3-9]*/bin/python3 "$root"/versions/3.12*/bin/python3 2>/dev/null
    if command -v uv >/dev/null 2>&1; then
        uv python find '>=3.12' 2>/dev/null
    fi
}

IFS='
'
for candidate in $(candidates); do
    if works "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done
echo "Second Look needs Python 3.12 or newer with venv, and found none that runs. Install one (for example" >&2
echo "'apt-get install python3.12 python3.12-venv' or 'pyenv install 3.13'), or name it: make demo PYTHON=/usr/bin/python3.13" >&2
exit 1
