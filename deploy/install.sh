#!/bin/sh
# Make .venv and install one locked list of requirements into it: deploy/install.sh server|dev|edge
set -eu
list="deploy/requirements/$1.txt"
venv="${VENV:-.venv}"

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
    python=$(sh deploy/find_python.sh)
    echo "Making $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

failed() {
    echo >&2
    echo "The packages could not be installed. Is the package index in reach, and is there room on the disk?" >&2
    exit 1
}

echo "Installing the locked packages of $list"
if uv --version >/dev/null 2>&1; then
    uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$list" || failed
    uv pip install --quiet --python "$venv/bin/python" --no-deps --no-build-isolation -e . || failed
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$list" || failed
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . || failed
fi
touch "$venv/$1.stamp"
