"""Events on their way: SQLite rows and content-addressed files that survive `kill -9` and a power cut.

Evidence is on disk before the row that points to it is committed; only then does the event exist. Its `seq` is given
in the same transaction, so a gap always means something. A row goes only when the server says `created` or
`duplicate`; what the server refuses for good goes to a bounded dead lane.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.edge import clock, log
from inference.edge.blobs import Blobs
from inference.edge.exceptions import OutboxBusy, OutboxDamaged

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, created_at TEXT NOT NULL,
    bytes INTEGER NOT NULL, lane TEXT NOT NULL DEFAULT 'waiting' CHECK (lane IN ('waiting', 'dead')),
    code TEXT, detail TEXT);
CREATE INDEX IF NOT EXISTS event_by_lane ON event (lane, seq);
CREATE TABLE IF NOT EXISTS evidence (
    seq INTEGER NOT NULL REFERENCES event (seq) ON DELETE CASCADE, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    content_type TEXT NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (seq, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS evidence_by_digest ON evidence (sha256);
CREATE TABLE IF NOT EXISTS sighting (
    id INTEGER PRIMARY KEY, footage TEXT NOT NULL, position INTEGER NOT NULL, class TEXT NOT NULL,
    x REAL NOT NULL, y REAL NOT NULL, posted INTEGER NOT NULL, posted_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sighting_by_class ON sighting (footage, class);
"""


@dataclass(frozen=True, slots=True)
class Blob:
    """A piece of evidence to store with an event."""

    name: str
    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event to send: its body and the digests of its evidence by name, with their content types."""

    seq: int
    event_id: str
    body: bytes
    evidence: tuple[tuple[str, str, str], ...]


class Outbox:
    """The device's memory of what it still has to say. Safe for several threads of one process.

    Raises `OutboxBusy` when another process holds the folder.
    """

    def __init__(self, folder: Path, *, quota_bytes: int, dead_items: int = 200) -> None:
        self.folder = folder
        self._quota_bytes = quota_bytes
        self._dead_items = dead_items
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._owner = _own(folder)
        self._db = _open_or_replace(folder)
        self.blobs = Blobs(folder / "blobs")
        swept = self.blobs.sweep(self._digests())
        if swept:
            log.write("outbox_swept", files=swept)

    def add(
        self,
        event_id: str,
        body: Callable[[int], bytes],
        blobs: tuple[Blob, ...],
        also: Callable[[sqlite3.Connection], None] | None = None,
    ) -> int:
        """Store an event durably and give its `seq`; `body` makes the bytes once the `seq` is known.

        `also` writes in the same transaction. When the quota is reached the oldest waiting events go first.
        Raises `OSError` and `sqlite3.Error` when the disk fails; then nothing is stored and no `seq` is used.
        """
        with self._lock:
            stored = [(blob, self.blobs.write(blob.data)) for blob in blobs]
            with self._transaction():
                seq = self._count("seq", 1)
                data = body(seq)
                size = len(data) + sum(len(blob.data) for blob in blobs)
                dropped = self._make_room(size)
                self._db.execute(
                    "INSERT INTO event (seq, event_id, body, created_at, bytes) VALUES (?, ?, ?, ?, ?)",
                    (seq, event_id, data, clock.stamp(clock.now()), size),
                )
                self._db.executemany(
                    "INSERT INTO evidence (seq, name, sha256, content_type, bytes) VALUES (?, ?, ?, ?, ?)",
                    [(seq, blob.name, sha256, blob.content_type, len(blob.data)) for blob, sha256 in stored],
                )
                if also is not None:
                    also(self._db)
            self._remove_unused(dropped)
        return seq

    def next(self) -> Waiting | None:
        """The oldest waiting event."""
        with self._lock:
            row = self._db.execute(
                "SELECT seq, event_id, body FROM event WHERE lane = 'waiting' ORDER BY seq LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            evidence = self._db.execute(
                "SELECT name, sha256, content_type FROM evidence WHERE seq = ? ORDER BY name", (row[0],)
            ).fetchall()
        return Waiting(row[0], row[1], bytes(row[2]), tuple(evidence))

    def sent(self, seq: int, status: str) -> None:
        """The server has the event (`created` or `duplicate`): forget it."""
        with self._lock:
            with self._transaction():
                digests = self._evidence_of(seq)
                if self._db.execute("DELETE FROM event WHERE seq = ?", (seq,)).rowcount:
                    self._count(f"sent_{status}", 1)
            self._remove_unused(digests)

    def bury(self, seq: int, code: str, detail: str) -> None:
        """The server will never take the event: keep it in the dead lane, the oldest there go when it is full."""
        with self._lock:
            with self._transaction():
                self._db.execute(
                    "UPDATE event SET lane = 'dead', code = ?, detail = ? WHERE seq = ?", (code, detail[:500], seq)
                )
                self._count("rejected", 1)
                old = self._db.execute(
                    "SELECT seq FROM event WHERE lane = 'dead' ORDER BY seq DESC LIMIT -1 OFFSET ?", (self._dead_items,)
                ).fetchall()
                digests = self._drop([row[0] for row in old], "dead_lane_full")
            self._remove_unused(digests)

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter that outlives the process."""
        with self._lock, self._transaction():
            self._count(name, by)

    def waiting(self) -> int:
        """How many events wait."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM event WHERE lane = 'waiting'").fetchone()[0])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for a short read by another part of the agent."""
        with self._lock:
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction on another part's own tables, on disk when it ends."""
        with self._lock, self._transaction():
            yield self._db

    def close(self) -> None:
        """Let the folder go; nothing is lost without it."""
        with self._lock:
            self._db.close()
            self._owner.close()

    def _make_room(self, size: int) -> list[str]:
        used = _used_bytes(self._db)
        dropped: list[int] = []
        # Dead events go before waiting ones: nobody will take them.
        for seq, freed in self._db.execute("SELECT seq, bytes FROM event ORDER BY lane, seq"):
            if used + size <= self._quota_bytes:
                break
            dropped.append(seq)
            used -= freed
        return self._drop(dropped, "quota")

    def _drop(self, seqs: list[int], reason: str) -> list[str]:
        digests = [digest for seq in seqs for digest in self._evidence_of(seq)]
        self._db.executemany("DELETE FROM event WHERE seq = ?", [(seq,) for seq in seqs])
        if seqs:
            self._count(f"dropped_{reason}", len(seqs))
            log.warn("events_dropped", reason=reason, seqs=seqs[:20], events=len(seqs))
        return digests

    def _evidence_of(self, seq: int) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT sha256 FROM evidence WHERE seq = ?", (seq,))]

    def _remove_unused(self, digests: list[str]) -> None:
        """Delete files that no row points to any more; a crash before this leaves them to the next start."""
        for digest in set(digests):
            if self._db.execute("SELECT 1 FROM evidence WHERE sha256 = ? LIMIT 1", (digest,)).fetchone() is None:
                self.blobs.remove(digest)

    def _digests(self) -> set[str]:
        return {row[0] for row in self._db.execute("SELECT DISTINCT sha256 FROM evidence")}

    def _count(self, name: str, by: int) -> int:
        row = self._db.execute(
            "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
            " RETURNING value",
            (name, by),
        ).fetchone()
        return int(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def figures(folder: Path) -> Mapping[str, Any]:
    """What `secondlook-edge status` shows: read beside a running agent. Raises `OutboxDamaged`."""
    path = folder / "outbox.db"
    if not path.exists():
        raise OutboxDamaged(f"there is no outbox in {folder}")
    try:
        db = sqlite3.connect(path, timeout=5, isolation_level=None)
        try:
            return _figures(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise OutboxDamaged(f"the outbox in {folder} cannot be read: {error}") from error


def _figures(db: sqlite3.Connection) -> Mapping[str, Any]:
    counters = dict(db.execute("SELECT name, value FROM counter").fetchall())
    lanes = dict(db.execute("SELECT lane, count(*) FROM event GROUP BY lane").fetchall())
    oldest = db.execute("SELECT min(created_at) FROM event WHERE lane = 'waiting'").fetchone()[0]
    dead = db.execute("SELECT seq, code, detail FROM event WHERE lane = 'dead' ORDER BY seq DESC LIMIT 5").fetchall()
    return {
        "waiting": lanes.get("waiting", 0),
        "dead": lanes.get("dead", 0),
        "bytes": _used_bytes(db),
        "oldest_waiting_at": oldest,
        "last_seq": counters.pop("seq", 0),
        "counters": counters,
        "sightings": db.execute("SELECT count(*) FROM sighting").fetchone()[0],
        "dead_lately": [{"seq": seq, "code": code, "detail": detail} for seq, code, detail in dead],
    }


def _used_bytes(db: sqlite3.Connection) -> int:
    """Bytes of bodies and evidence; evidence that several events share is counted for each, on the safe side."""
    return int(db.execute("SELECT coalesce(sum(bytes), 0) FROM event").fetchone()[0])


def _open_or_replace(folder: Path) -> sqlite3.Connection:
    """The database; a damaged one is moved aside with its files and reported, so that the device goes on by itself."""
    path = folder / "outbox.db"
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        seq = _last_seq(path)
        aside = folder / f"damaged-{clock.now():%Y%m%dT%H%M%S}"
        aside.mkdir()
        for name in ("outbox.db", "outbox.db-wal", "outbox.db-shm", "blobs"):
            if (folder / name).exists():
                (folder / name).rename(aside / name)
        log.warn("outbox_damaged", moved_to=aside.name, last_seq=seq, problem=str(error))
        db = _open(path)
        db.execute("INSERT INTO counter VALUES ('seq', ?), ('damaged', 1)", (seq or 0,))
        return db


def _last_seq(path: Path) -> int | None:
    """The counter of a damaged database, when that page can still be read: numbers should not begin again."""
    try:
        db = sqlite3.connect(path)
        try:
            return int(db.execute("SELECT value FROM counter WHERE name = 'seq'").fetchone()[0])
        finally:
            db.close()
    except (sqlite3.Error, TypeError, ValueError):
        return None


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)
        db.executescript(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db


def _own(folder: Path) -> sqlite3.Connection:
    """A lock that the system releases when the process dies, on every platform: an open SQLite transaction."""
    owner = sqlite3.connect(folder / "owner.db", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        owner.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        owner.close()
        raise OutboxBusy(f"another agent works with {folder}; stop it or choose another --data folder") from error
    return owner
