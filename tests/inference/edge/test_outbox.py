import os
import sqlite3

import pytest

from inference.edge.blobs import Blobs
from inference.edge.exceptions import OutboxBusy, OutboxDamaged
from inference.edge.outbox import Blob, Outbox, figures


def add(box, name, data=b"jpeg", size=0):
    return box.add(name, lambda seq: f"{name} {seq} ".encode() + b"." * size, (Blob("frame", data, "image/jpeg"),))


def files(box):
    return sorted(path.name for path in (box.folder / "blobs").rglob("*") if path.is_file())


def test_events_come_back_oldest_first_with_their_number_and_evidence(outbox):
    assert [add(outbox, "a", b"1"), add(outbox, "b", b"2")] == [1, 2]
    first = outbox.next()
    assert (first.seq, first.event_id, first.body) == (1, "a", b"a 1 ")
    ((name, sha256, content_type),) = first.evidence
    assert (name, content_type) == ("frame", "image/jpeg")
    assert outbox.blobs.read(sha256) == b"1"
    outbox.sent(1, "created")
    assert outbox.next().event_id == "b"


def test_numbers_go_on_after_a_restart(tmp_path):
    for expected in (1, 2, 3):
        box = Outbox(tmp_path, quota_bytes=2**20)
        assert add(box, f"e{expected}") == expected
        box.sent(expected, "created")
        box.close()


def test_shared_evidence_is_one_file_that_goes_with_its_last_event(outbox):
    add(outbox, "a")
    add(outbox, "b")
    assert len(files(outbox)) == 1
    outbox.sent(1, "created")
    assert len(files(outbox)) == 1
    outbox.sent(2, "duplicate")
    assert files(outbox) == []


def test_a_failure_before_the_commit_leaves_no_event_and_uses_no_number(outbox):
    def broken(seq):
        raise OSError("disk")

    with pytest.raises(OSError):
        outbox.add("a", broken, ())
    assert outbox.next() is None
    assert add(outbox, "b") == 1


def test_what_is_written_beside_an_event_is_committed_with_it_or_not_at_all(outbox):
    row = "INSERT INTO sighting (footage, position, class, x, y, posted, posted_at) VALUES ('f', 0, 'c', 0, 0, 1, '')"

    def fails(db):
        db.execute(row)
        raise sqlite3.OperationalError("disk full")

    with pytest.raises(sqlite3.OperationalError):
        outbox.add("a", lambda seq: b"", (), fails)
    assert figures(outbox.folder)["sightings"] == 0
    outbox.add("a", lambda seq: b"", (), lambda db: db.execute(row))
    assert figures(outbox.folder)["sightings"] == 1


def test_a_full_quota_drops_the_oldest_and_counts_them(tmp_path):
    box = Outbox(tmp_path, quota_bytes=2500)
    for number in range(5):
        add(box, f"e{number}", str(number).encode(), size=1000)
    assert box.next().event_id == "e3"
    said = figures(tmp_path)
    assert (said["waiting"], said["counters"]["dropped_quota"], said["last_seq"]) == (2, 3, 5)
    assert len(files(box)) == 2
    box.close()


def test_the_dead_lane_is_bounded_and_blocks_nobody(tmp_path):
    box = Outbox(tmp_path, quota_bytes=2**20, dead_items=2)
    for number in range(1, 5):
        add(box, f"e{number}", str(number).encode())
    for seq in (1, 2, 3):
        box.bury(seq, "invalid", "because")
    assert box.next().seq == 4
    said = figures(tmp_path)
    assert (said["waiting"], said["dead"]) == (1, 2)
    assert said["counters"]["rejected"] == 3
    assert said["counters"]["dropped_dead_lane_full"] == 1
    assert said["dead_lately"][0] == {"seq": 3, "code": "invalid", "detail": "because"}
    assert len(files(box)) == 3
    box.close()


def test_a_quota_takes_dead_events_before_waiting_ones(tmp_path):
    box = Outbox(tmp_path, quota_bytes=2500)
    add(box, "waits", b"1", size=1000)
    add(box, "dead", b"2", size=1000)
    box.bury(2, "invalid", "")
    add(box, "new", b"3", size=1000)
    assert figures(tmp_path)["dead"] == 0
    assert box.next().event_id == "waits"
    box.close()


def test_what_a_crash_left_behind_is_swept_at_the_start(tmp_path):
    box = Outbox(tmp_path, quota_bytes=2**20)
    add(box, "a", b"kept")
    box.blobs.write(b"no row points here")
    (tmp_path / "blobs" / "incoming" / "half").write_bytes(b"hal")
    assert len(files(box)) == 3
    box.close()
    box = Outbox(tmp_path, quota_bytes=2**20)
    assert len(files(box)) == 1
    assert box.blobs.read(box.next().evidence[0][1]) == b"kept"
    box.close()


@pytest.mark.parametrize("damage", [b"garbage" * 1000, b""])
def test_a_damaged_database_is_moved_aside_and_the_device_goes_on(tmp_path, damage):
    box = Outbox(tmp_path, quota_bytes=2**20)
    add(box, "a", b"evidence")
    box.close()
    (tmp_path / "outbox.db").write_bytes(damage)
    box = Outbox(tmp_path, quota_bytes=2**20)
    assert box.next() is None
    add(box, "b")
    assert box.next().event_id == "b"
    box.close()
    if damage:
        (aside,) = tmp_path.glob("damaged-*")
        assert [path for path in (aside / "blobs").rglob("*") if path.is_file()]


def test_two_processes_cannot_work_on_one_outbox(outbox):
    with pytest.raises(OutboxBusy):
        Outbox(outbox.folder, quota_bytes=2**20)


def test_figures_of_nothing_are_a_clear_error(tmp_path):
    with pytest.raises(OutboxDamaged):
        figures(tmp_path)


def test_evidence_is_on_disk_before_its_row_and_under_its_name_only_when_whole(tmp_path, monkeypatch):
    order = []
    real_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), real_fsync(handle))[1])
    blobs = Blobs(tmp_path / "b")
    sha256 = blobs.write(b"x")
    # The file, the new sub-folder's entry, the file's entry.
    assert order == ["fsync"] * 3
    assert blobs.write(b"x") == sha256
    assert len(order) == 3
