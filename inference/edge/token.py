"""The token of a source, from wherever it was given. It is never logged."""

import os
from pathlib import Path

from inference.edge.config import Server
from inference.edge.exceptions import ConfigError

TOKEN_VARIABLE = "SECONDLOOK_TOKEN"  # noqa: S105  the name of a variable


def read_token(given: str | None, server: Server, base: Path) -> str:
    """From the command line, the environment, a file, or the configuration, in this order. Raises `ConfigError`."""
    token = given or os.environ.get(TOKEN_VARIABLE)
    if not token and server.token_file is not None:
        try:
            token = (base / server.token_file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                "token_missing", f"the token file cannot be read: {error}", "$.server.token_file"
            ) from error
    token = (token or server.token or "").strip()
    if not token.isascii() or not token.isprintable() or not token:
        raise ConfigError("token_missing", f"give a source token: {TOKEN_VARIABLE}, token_file or --token", "$.server")
    return token
