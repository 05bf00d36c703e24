"""Clients that post as fast as they are answered, over kept-alive connections, and what they measured."""

import http.client
import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

PICTURES = 64
# Method, path, body, headers.
type http_request = tuple[str, str, bytes, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Answers per second and latencies in milliseconds of one run."""

    per_second: float
    median_ms: float
    p95_ms: float
    p99_ms: float
    failed: int

    def __str__(self) -> str:
        return (
            f"{self.per_second:7.1f}/s   median {self.median_ms:6.1f} ms   p95 {self.p95_ms:6.1f} ms   "
            f"p99 {self.p99_ms:6.1f} ms   failed {self.failed}"
        )


def pictures(size: int = 60_000, count: int = PICTURES) -> list[bytes]:
    """Different JPEGs of about `size` bytes each: noise on a colour, 640 x 480."""
    generator = np.random.default_rng(7)
    made = []
    for _ in range(count):
        frame = generator.normal(120, 22, (480, 640, 3)).clip(0, 255).astype(np.uint8)
        made.append(next(data for quality in range(60, 5, -3) if len(data := encode(frame, quality)) <= size))
    return made


def encode(frame: np.ndarray, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "JPEG", quality=quality)
    return out.getvalue()


def percentiles(seconds: list[float]) -> tuple[float, float, float]:
    """Median, 95th and 99th percentile in milliseconds."""
    values = np.percentile(np.asarray(seconds) * 1000, [50, 95, 99])
    return float(values[0]), float(values[1]), float(values[2])


def drive(port: int, requests: Callable[[int], Iterator[http_request]], clients: int, duration_s: float) -> Figures:
    """Let `clients` threads send their requests to the port for some seconds; each waits for its answer."""
    taken: list[float] = []
    failed = [0]
    lock = threading.Lock()
    end = time.perf_counter() + duration_s

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        mine, bad = [], 0
        for method, path, body, headers in requests(number):
            begin = time.perf_counter()
            if begin >= end:
                break
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            bad += answer.status >= 400
            mine.append(time.perf_counter() - begin)
        connection.close()
        with lock:
            taken.extend(mine)
            failed[0] += bad

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Figures(len(taken) / (time.perf_counter() - begin), *percentiles(taken), failed[0])


def multipart(parts: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart body of (content type, bytes) by name, and its Content-Type."""
    boundary = "secondlook-benchmark-boundary"
    out = io.BytesIO()
    for name, (content_type, data) in parts.items():
        filename = "" if content_type == "application/json" else f'; filename="{name}"'
        disposition = f'Content-Disposition: form-data; name="{name}"{filename}'
        head = f"--{boundary}\r\n{disposition}\r\nContent-Type: {content_type}\r\n\r\n"
        out.write(head.encode() + data + b"\r\n")
    out.write(f"--{boundary}--\r\n".encode())
    return out.getvalue(), f"multipart/form-data; boundary={boundary}"
