"""What this machine is called on its network."""

import socket
from ipaddress import ip_address

import psutil  # type: ignore[import-untyped]

from deploy.tls.authority import is_private


def private_addresses() -> list[str]:
    """This machine's addresses on private networks, loopback first; those that the Internet knows are left out."""
    found = ["127.0.0.1"]
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            # Link-local IPv6 addresses need a zone, which no certificate can name.
            if entry.family not in {socket.AF_INET, socket.AF_INET6} or "%" in entry.address:
                continue
            address = ip_address(entry.address)
            if is_private(address) and not address.is_loopback and not address.is_link_local:
                found.append(entry.address)
    return list(dict.fromkeys(found))


def host_names() -> list[str]:
    """The machine's own name, and the one under which mDNS makes it known; never one that is no host name."""
    name = socket.gethostname().lower()
    if not name or not all(part.replace("-", "").isalnum() and part.isascii() for part in name.split(".")):
        return []
    return [name] if "." in name else [f"{name}.local", name]
