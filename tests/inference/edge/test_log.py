import json
import logging
import queue

from inference.edge import log


def test_every_line_is_one_json_object_whatever_is_in_it(capfd):
    listener = log.start()
    log.write("posted", name='break "it\nnow\x1b[31m', number=3)
    log.warn("lost")
    log.write("quiet", level=logging.DEBUG)
    listener.stop()
    first, second = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (first["event"], first["level"], first["name"], first["number"]) == (
        "posted",
        "info",
        'break "it\nnow\x1b[31m',
        3,
    )
    assert (second["event"], second["level"]) == ("lost", "warning")


def test_a_reader_that_is_slow_delays_nobody(capfd):
    handler = log._Dropping(queue.Queue(maxsize=1))
    record = logging.LogRecord("x", logging.INFO, "", 0, "event", None, None)
    for _ in range(3):
        handler.handle(record)
    assert capfd.readouterr().err == ""
