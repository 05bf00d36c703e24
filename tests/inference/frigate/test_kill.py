"""The whole process: killed at any moment, stopped by a signal, with a broker that wants TLS and a password."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from inference.edge.outbox import figures
from tests.inference.edge.stub import Stub

from .conftest import Mosquitto, wait_until
from .messages import frigate_id, message
from .nvr_stub import NvrStub

ROOT = Path(__file__).parents[3]

CONFIG = """
data = "data"
[frigate]
url = "{nvr}"
catch_up_every_s = 0
timeout_s = 100
[mqtt]
host = "localhost"
port = {port}
retry_min_s = 0.05
retry_max_s = 0.2
{mqtt}
[server]
url = "{url}"
retry_min_s = 0.01
retry_max_s = 0.05
[[rules]]
name = "all"
event = {{ kind = "unsure" }}
"""

# As in docs/frigate.md.
ACL = """
user connector
topic read frigate/events
user frigate
topic readwrite frigate/#
"""

type Launch = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def launch(tmp_path: Path, stub: Stub, nvr: NvrStub, broker: Mosquitto) -> Iterator[Launch]:
    started: list[subprocess.Popen[bytes]] = []

    def launch(mqtt: str = "", **environment: str) -> subprocess.Popen[bytes]:
        config = tmp_path / "frigate.toml"
        config.write_text(CONFIG.format(nvr=nvr.url, url=stub.url, port=broker.port, mqtt=mqtt))
        process = subprocess.Popen(
            [sys.executable, "-m", "inference.edge.cli", "frigate", "--config", str(config)],
            cwd=ROOT,
            env={**os.environ, "SECONDLOOK_TOKEN": "sls_secret", **environment},
            stderr=(tmp_path / f"log-{len(started)}").open("wb"),
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.kill()
        process.wait()


def log_of(tmp_path: Path, number: int = 0) -> list[dict[str, Any]]:
    whole = (tmp_path / f"log-{number}").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in whole if line.endswith("\n")]


def said(tmp_path: Path, word: str, number: int = 0) -> bool:
    return any(line["event"] == word for line in log_of(tmp_path, number))


@pytest.mark.slow
def test_kill_9_loses_and_doubles_nothing(launch: Launch, broker: Mosquitto, stub: Stub, tmp_path: Path) -> None:
    stub.drop_every = 3
    process = launch()
    wait_until(lambda: said(tmp_path, "broker_listening"), "the connector never listened")
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    published = threading.Event()

    def publish() -> None:
        for number in range(1, 301):
            client.publish("frigate/events", message(number=number), qos=1).wait_for_publish(20)
        published.set()

    threading.Thread(target=publish, daemon=True).start()
    for wanted in (1, 2, 20, 7):
        before = len(stub.posts)
        stub.wait_for(lambda before=before, wanted=wanted: len(stub.posts) >= before + wanted)
        process.kill()
        process.wait()
        process = launch()
    assert published.wait(60)
    stub.wait_for(lambda: len(stub.events) == 300, 120)
    client.disconnect()
    client.loop_stop()
    assert {one["context"]["frigate_id"] for one in stub.bodies()} == {frigate_id(one) for one in range(1, 301)}
    assert stub.conflicts == []
    assert figures(tmp_path / "data")["dead"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(
    launch: Launch, broker: Mosquitto, stub: Stub, name: signal.Signals, tmp_path: Path
) -> None:
    process = launch()
    wait_until(lambda: said(tmp_path, "broker_listening"), "the connector never listened")
    broker.publish(message())
    stub.wait_for(lambda: stub.events)
    process.send_signal(name)
    assert process.wait(30) == 0
    assert log_of(tmp_path)[-1]["event"] == "connector_stopped"


@pytest.mark.slow
def test_a_signal_does_not_wait_for_a_frigate_that_hangs(
    launch: Launch, broker: Mosquitto, stub: Stub, nvr: NvrStub, tmp_path: Path
) -> None:
    nvr.answering.clear()
    process = launch()
    wait_until(lambda: said(tmp_path, "broker_listening"), "the connector never listened")
    broker.publish(message())
    nvr.wait_for(lambda: nvr.asked)
    process.terminate()
    assert process.wait(30) == 0
    assert (log_of(tmp_path)[-1]["event"], log_of(tmp_path)[-1]["waiting"]) == ("connector_stopped", 1)
    nvr.answering.set()
    launch()
    stub.wait_for(lambda: stub.events)


@pytest.mark.slow
def test_a_broker_with_tls_passwords_and_rights(launch: Launch, broker: Mosquitto, stub: Stub, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    secret = "correct-horse"
    passwords = broker.folder / "passwords"
    passwords.touch(0o600)
    for name in ("connector", "frigate"):
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, secret], check=True)
    (broker.folder / "acl").write_text(ACL)
    broker.stop()
    broker.lines = [
        "allow_anonymous false", f"password_file {passwords}", f"acl_file {broker.folder / 'acl'}",
        f"certfile {tmp_path / 'server.pem'}", f"keyfile {tmp_path / 'server.key'}",
    ]  # fmt: skip
    broker.start()
    tls = 'user = "connector"\n[mqtt.tls]\nca_file = "ca.pem"'
    refused = launch(tls, SECONDLOOK_MQTT_PASSWORD="wrong")
    wait_until(lambda: said(tmp_path, "broker_waiting"), "a wrong password was not noticed")
    assert log_of(tmp_path)[-1]["reason"] == "refused"
    refused.terminate()
    refused.wait(30)
    (tmp_path / "password").write_text(f"{secret}\n")
    launch(f'password_file = "password"\n{tls}')
    wait_until(lambda: said(tmp_path, "broker_listening", 1), "the password was not taken")
    for number, user in ((1, "connector"), (2, "frigate")):
        sender = paho.Client(CallbackAPIVersion.VERSION2)
        sender.username_pw_set(user, secret)
        sender.tls_set(str(tmp_path / "ca.pem"))
        sender.connect("localhost", broker.port)
        sender.loop_start()
        sender.publish("frigate/events", message(number=number), qos=1).wait_for_publish(20)
        sender.disconnect()
        sender.loop_stop()
    stub.wait_for(lambda: stub.events)
    assert [event["context"]["frigate_id"] for event in stub.bodies()] == [frigate_id(2)]
    logged = "".join((tmp_path / f"log-{number}").read_text() for number in (0, 1))
    assert secret not in logged
    assert "sls_secret" not in logged


@pytest.mark.slow
def test_a_second_connector_on_the_same_folder_is_refused(launch: Launch, tmp_path: Path) -> None:
    launch()
    wait_until(lambda: said(tmp_path, "broker_listening"), "the connector never listened")
    assert launch().wait(30) == 1
    assert log_of(tmp_path, 1)[-1]["code"] == "outbox_busy"


def make_certificates(folder: Path) -> None:
    """An authority, and a certificate of `localhost` signed by it."""
    now = datetime.now(UTC)
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "localhost")]

    def signed(name: x509.Name, key: Any, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        )
        if ca:
            usage = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
                 "decipher_only"), False,
            )  # fmt: skip
            builder = builder.add_extension(
                x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
        else:
            hosts = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return builder.sign(authority, hashes.SHA256())

    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(signed(names[0], authority, ca=True).public_bytes(pem))
    (folder / "server.pem").write_bytes(signed(names[1], server, ca=False).public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "server.key").write_bytes(
        server.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
