"""Listening with TLS, and sending plain HTTP there. Import only after `daphne.server`."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from OpenSSL import SSL

from deploy.limits.channel import LimitedChannel, LimitedFactory
from deploy.listening import Files

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificates:
    """Gives each new connection the certificate that lies in the files now, so that a renewed one needs no restart."""

    isClient = False  # noqa: N815

    def __init__(self, files: Files) -> None:
        self.files = files
        self.loaded = 0.0
        self.context = self.load()

    def getContext(self) -> SSL.Context:  # noqa: N802
        if changed(self.files.certificate) != self.loaded:
            self.context = self.load()
        return self.context

    def load(self) -> SSL.Context:
        loaded = changed(self.files.certificate)
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_cipher_list(CIPHERS)
        context.use_certificate_chain_file(str(self.files.certificate))
        context.use_privatekey_file(str(self.files.key))
        context.check_privatekey()
        self.loaded = loaded
        return context


def changed(path: Path) -> float:
    return path.stat().st_mtime


class Elsewhere(LimitedChannel):
    """Answers every plain request with the address of the same page under TLS, and reads no more of it."""

    def allHeadersReceived(self) -> None:  # noqa: N802
        refused = self.keeper.judge(self)
        if refused or self.method() not in {b"GET", b"HEAD"}:
            self.refuse(*(refused or (405, "plain")))
        else:
            self.redirect()
        self.length = None

    def redirect(self) -> None:
        """To a name of ours whatever the request calls us: this is no way to other people's sites."""
        factory: Any = self.factory
        asked = self.header(b"Host").decode("ascii", "replace").rsplit(":", 1)[0].lower()
        host = asked if asked in factory.names else factory.names[0]
        path = self.path().decode("ascii") if self.path().startswith(b"/") else "/"
        place = f"https://{host}:{factory.port}{quote(path, safe='/?&=%+~-._!$*,;:@()')}"
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self.transport.write(head.encode("ascii"))
        self.close_quietly()


class ElsewhereFactory(LimitedFactory):
    """Plain connections, which share the places of the others."""

    protocol = Elsewhere

    def __init__(self, server: Any, keeper: Any, names: list[str], port: int) -> None:
        super().__init__(server)
        self.keeper, self.names, self.port = keeper, names, port
