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

log="$venv/install.log"

failed() {
    tail -n 20 "$log" >&2
    echo >&2
    echo "The packages could not be installed. Is the package index in reach, and is there room on the disk?" >&2
    exit 1
}

echo "Installing the locked packages of $list"
if uv --version >/dev/null 2>&1; then
    uv pip install --python "$venv/bin/python" --require-hashes -r "$list" >"$log" 2>&1 || failed
    uv pip install --python "$venv/bin/python" --no-deps --no-build-isolation -e . >>"$log" 2>&1 || failed
else
    pip="$venv/bin/python -m pip --disable-pip-version-check"
    $pip install --require-hashes -r "$list" >"$log" 2>&1 || failed
    $pip install --no-deps --no-build-isolation -e . >>"$log" 2>&1 || failed
fi
touch "$venv/$1.stamp"
