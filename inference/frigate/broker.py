"""One thread that listens to the broker: QoS 1, a session that outlives us, nothing acknowledged before its time."""

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.edge import log
from inference.edge.backoff import Backoff
from inference.edge.exceptions import ConfigError
from inference.frigate.config import MqttConfig, TlsConfig
from inference.frigate.exceptions import MqttMissing, NotStored
from inference.frigate.intake import Said
from inference.frigate.tracked import MOST_BYTES

try:
    from paho.mqtt import client as paho
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
except ImportError as error:
    message = "the connector needs paho-mqtt: install deploy/requirements/frigate.txt, or the extra `frigate`"
    raise MqttMissing(message) from error

_POLL_S = 0.5
_CONNECT_S = 10.0
# A connection that stood for so long was a good one.
_LASTS_S = 30.0
# Room for the topic and the properties beside the largest payload that is read.
_MOST_PACKET_BYTES = MOST_BYTES + 4096


class Broker:
    """Hands each message to `take`, and acknowledges it when that returns.

    When `take` raises `NotStored`, nothing more is taken from this connection: it is made anew, after a pause, and the
    broker sends again what was not acknowledged. `listening` is called each time a subscription stands.
    Raises `ConfigError` when the files for TLS cannot be read.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        password: str | None,
        base: Path,
        take: Callable[[Said], None],
        listening: Callable[[], None],
    ) -> None:
        self._config = config
        self._take = take
        self._listening = listening
        self._backoff = Backoff(config.retry_min_s, config.retry_max_s)
        self._stop = threading.Event()
        self._again = False
        self._state = "unknown"
        self._client = _client(config, client_id, password, base)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Say goodbye; the session and what is not acknowledged stay with the broker."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001  top of a thread: a broker that talks nonsense must not end it
                self._note("away", f"{type(error).__name__}: {error}")
            if not self._stop.is_set():
                self._stop.wait(self._backoff.failed())

    def _listen(self) -> None:
        """One connection, until it breaks."""
        self._again, began_s = False, time.monotonic()
        self._client.connect(self._config.host, _port(self._config), self._config.keepalive_s, **_session(self._config))
        try:
            while not self._stop.is_set() and not self._again:
                code = self._client.loop(_POLL_S)
                if code != paho.MQTT_ERR_SUCCESS:
                    if not self._again:
                        self._note("away", paho.error_string(code))
                    return
        finally:
            # Two that throw each other out by the same client id do so ever more slowly.
            if time.monotonic() - began_s >= _LASTS_S:
                self._backoff.succeeded()
            self._client.disconnect()
            self._client.loop(_POLL_S)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._again = True
            self._note("refused", str(code))
            return
        client.subscribe(topic_of(self._config), qos=1)

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, codes: list[Any], _properties: Any) -> None:
        if any(code.is_failure for code in codes):
            self._again = True
            self._note("subscription_refused", ", ".join(str(code) for code in codes))
            return
        self._note("listening", topic_of(self._config))
        self._listening()

    def _on_disconnect(self, _client: paho.Client, _data: Any, flags: Any, code: Any, _properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._note("away", str(code))

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if self._again:
            return
        try:
            self._take(Said(_topic(message), bytes(message.payload), message.retain))
        except NotStored as error:
            self._again = True
            self._note("not_stored", error.message)
            return
        client.ack(message.mid, message.qos)

    def _note(self, state: str, detail: str) -> None:
        """Log a change of state once, not each try."""
        if state == self._state:
            return
        self._state = state
        if state == "listening":
            log.write("broker_listening", topic=detail)
        else:
            log.warn("broker_waiting", reason=state, detail=detail[:300])


def topic_of(config: MqttConfig) -> str:
    return f"{config.topic_prefix.rstrip('/')}/events"


def _client(config: MqttConfig, client_id: str, password: str | None, base: Path) -> paho.Client:
    five = config.version == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=paho.MQTTv5 if five else paho.MQTTv311,
        manual_ack=True,
        clean_session=None if five else False,
    )
    client.connect_timeout = _CONNECT_S
    if config.user is not None:
        client.username_pw_set(config.user, password)
    if config.tls is not None:
        client.tls_set_context(_tls(config.tls, base))
    return client


def _session(config: MqttConfig) -> dict[str, Any]:
    """What makes a session of MQTT 5 outlive the connection; in MQTT 3.1.1 the client itself says it."""
    if config.version != "5":
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = config.session_expiry_s
    properties.MaximumPacketSize = _MOST_PACKET_BYTES
    return {"clean_start": False, "properties": properties}


def _port(config: MqttConfig) -> int:
    return config.port if config.port is not None else 8883 if config.tls is not None else 1883


def _tls(tls: TlsConfig, base: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(base / tls.ca_file) if tls.ca_file else None)
        if tls.cert_file is not None:
            context.load_cert_chain(base / tls.cert_file, base / tls.key_file if tls.key_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("config_invalid", f"the files for TLS cannot be read: {error}", "$.mqtt.tls") from error
    return context


def _topic(message: paho.MQTTMessage) -> str | None:
    try:
        return message.topic
    except UnicodeDecodeError:
        return None
