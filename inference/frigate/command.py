"""`secondlook-edge frigate`: run the connector."""

import argparse
import signal
import threading
from pathlib import Path

from inference.edge import log
from inference.edge.exceptions import ConfigError
from inference.edge.token import TOKEN_VARIABLE, read_token
from inference.frigate.config import PASSWORD_VARIABLE, Config, load, password_of

_DEFAULT_DATA = "secondlook-frigate-data"


def add_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, required=True, help="configuration file (frigate.toml)")
    command.add_argument("--server", help="address of Second Look, such as https://desk.example")
    command.add_argument("--token", help=f"source token; better in {TOKEN_VARIABLE} or token_file")
    command.add_argument("--data", type=Path, help=f"folder of the outbox; default: {_DEFAULT_DATA}")
    command.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    command.epilog = f"The broker's password comes from {PASSWORD_VARIABLE} or from mqtt.password_file."
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM."""
    # Only this command needs the MQTT library, which is an extra.
    from inference.frigate import connector

    config, base = load(options.config), options.config.parent
    setup = connector.Setup(
        config, base, _data(options, config), _url(options, config), read_token(options.token, config.server, base),
        password_of(config.mqtt, base),
    )  # fmt: skip
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    listener = log.start(options.log_level)
    try:
        connector.run(setup, stop)
    finally:
        listener.stop()
    return 0


def _url(options: argparse.Namespace, config: Config) -> str:
    url = options.server or config.server.url
    if not url or not url.startswith(("http://", "https://")):
        raise ConfigError("config_invalid", "give the server's address (http:// or https://)", "$.server.url")
    return str(url)


def _data(options: argparse.Namespace, config: Config) -> Path:
    if options.data is not None:
        return Path(options.data)
    return Path(options.config.parent / config.data) if config.data is not None else Path(_DEFAULT_DATA)
