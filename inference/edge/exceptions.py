"""Everything that stops or disturbs the agent, each with a stable code.

EdgeError
├── ConfigError            config_unreadable, config_syntax, config_invalid, zone_unknown, output_unknown,
│                          class_unknown, band_empty, band_below_floor, rule_without_effect, token_missing
├── SourceError            source_unreadable, source_lost
└── OutboxError
    ├── OutboxBusy         outbox_busy
    └── OutboxDamaged      outbox_damaged
"""


class EdgeError(Exception):
    """Base of the tree; `code` is stable, the message is for people."""

    code = "edge_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(EdgeError):
    """A configuration that will not be run; `path` is the key, as in `$.rules[0].zone`."""

    def __init__(self, code: str, message: str, path: str = "$") -> None:
        super().__init__(f"{path}: {message}")
        self.code = code
        self.path = path


class SourceError(EdgeError):
    """A camera, file or folder that gives no frames."""

    code = "source_unreadable"

    def __init__(self, message: str, code: str = "source_unreadable") -> None:
        super().__init__(message)
        self.code = code


class OutboxError(EdgeError):
    """The outbox cannot be used."""

    code = "outbox_error"


class OutboxBusy(OutboxError):
    """Another agent works on the same data directory."""

    code = "outbox_busy"


class OutboxDamaged(OutboxError):
    """The database fails its check."""

    code = "outbox_damaged"
