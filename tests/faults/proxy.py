"""A network between client and server that breaks where it is told to."""

import random
import selectors
import socket
import struct
import threading
from collections import deque
from enum import StrEnum

from tests.faults.services import wait

CONNECT_S = 5
CHUNK = 65536
# Closing with this on sends a reset, and throws away what has not been read.
RESET = struct.pack("ii", 1, 0)


class Incident(StrEnum):
    """What may become of one connection."""

    CUT = "cut in the midst of the request"
    RESET = "reset in the midst of the request"
    SWALLOWED = "the server acts, and its answer is lost"


class Proxy:
    """Passes connections on to a port of this machine; each planned incident happens to one of the next ones."""

    def __init__(self, server_port: int, dice: random.Random) -> None:
        self.server_port, self.dice = server_port, dice
        self.planned: deque[Incident] = deque()
        self.happened: list[Incident] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def cause(self, incident: Incident) -> None:
        """Let it happen to one of the next connections; returns once it has."""
        wanted = len(self.happened) + 1
        self.planned.append(incident)
        wait(lambda: len(self.happened) >= wanted, f"nobody came to whom it could happen: {incident}")

    def close(self) -> None:
        self.listener.close()

    def serve(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port), timeout=CONNECT_S)
        except OSError:
            client.close()
            return
        with client, server:
            try:
                self.exchange(client, server)
            except OSError:
                return

    def exchange(self, client: socket.socket, server: socket.socket) -> None:
        """Both ways, until one side ends it or an incident does."""
        incident = self.planned.popleft() if self.planned else None
        # Few requests are shorter; one that is goes through, and the incident waits for the next one.
        left = self.dice.randint(1, 1500)
        with selectors.DefaultSelector() as ready:
            for one, other in ((client, server), (server, client)):
                ready.register(one, selectors.EVENT_READ, other)
            while True:
                for key, _events in ready.select():
                    source: socket.socket = key.fileobj  # type: ignore[assignment]
                    data = source.recv(CHUNK)
                    if incident is Incident.SWALLOWED and source is server:
                        self.end(incident, client)
                        return
                    if incident in {Incident.CUT, Incident.RESET} and source is client and len(data) >= left:
                        server.sendall(data[: left - 1])
                        self.end(incident, client, server)
                        return
                    if not data:
                        if incident:
                            self.planned.appendleft(incident)
                        return
                    left -= len(data) if source is client else 0
                    key.data.sendall(data)

    def end(self, incident: Incident, *sides: socket.socket) -> None:
        if incident is not Incident.CUT:
            for side in sides:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.happened.append(incident)
