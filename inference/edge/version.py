"""The agent's version, stamped on every event."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("secondlook")
except PackageNotFoundError:
    VERSION = "0+source"
