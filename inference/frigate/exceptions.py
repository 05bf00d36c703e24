"""What stops or disturbs the connector, each with a stable code; the tree is `inference.edge.exceptions`.

EdgeError
├── MqttMissing    mqtt_missing
└── NotStored      not_stored
"""

from inference.edge.exceptions import EdgeError


class MqttMissing(EdgeError):
    """The MQTT library is an extra, and it is not installed."""

    code = "mqtt_missing"


class NotStored(EdgeError):
    """The disk failed: the message stays with the broker."""

    code = "not_stored"
