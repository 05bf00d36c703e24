"""The agent that the server hands out: complete, reproducible, installable, and nothing of the server in it."""

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client

from inference import download


def test_the_wheel_holds_the_device_and_nothing_of_the_server() -> None:
    names = zipfile.ZipFile(BytesIO(download.wheel())).namelist()
    assert {"inference/edge/cli.py", "inference/client/client.py", "inference/vision/session.py"} <= set(names)
    code = [name for name in names if ".dist-info/" not in name]
    assert all(name == "inference/__init__.py" or name.startswith(download.PARTS) for name in code)


def test_the_wheel_carries_no_time_of_its_making() -> None:
    entries = zipfile.ZipFile(BytesIO(download.wheel())).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_what_frigates_connector_needs_is_an_extra() -> None:
    archive = zipfile.ZipFile(BytesIO(download.wheel()))
    [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
    lines = archive.read(name).decode().splitlines()
    assert [line for line in lines if "paho" in line] == ['Requires-Dist: paho-mqtt>=2.1,<3; extra == "frigate"']


@pytest.mark.slow
def test_pip_installs_it_and_its_command_starts_without_the_repository(tmp_path: Path) -> None:
    file = tmp_path / download.wheel_name()
    file.write_bytes(download.wheel())
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--target", str(target), str(file)]
    subprocess.run(pip, check=True, cwd=tmp_path, capture_output=True)
    start = [sys.executable, "-c", "import inference.edge.cli as c; print(c.__file__); c.main(['--version'])"]
    environment = {"PYTHONPATH": str(target)}
    said = subprocess.run(start, check=True, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
    assert said.splitlines() == [str(target / "inference/edge/cli.py"), download.project()["version"]]


@pytest.mark.django_db
def test_anybody_may_fetch_the_agent_and_no_other_file() -> None:
    client = Client()
    assert client.get(f"/agent/{download.wheel_name()}").content == download.wheel()
    for name in download.LISTS:
        locked = client.get(f"/agent/{name}")
        assert b"--hash=sha256:" in locked.content
        assert (b"paho-mqtt==" in locked.content) == (name == "frigate.txt")
        assert locked["Content-Disposition"] == f'attachment; filename="{name}"'
    for name in ("server.txt", "secondlook-0.0.0-py3-none-any.whl", "..%2Fpyproject.toml"):
        assert client.get(f"/agent/{name}").status_code == 404
