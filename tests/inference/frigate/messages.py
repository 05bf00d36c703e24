"""Messages and entries as Frigate makes them, after its documentation ("MQTT", "HTTP API"), with values of our own."""

import json
from typing import Any

import cv2
import numpy as np

START = 1795680000.25
DETECT = (1280, 720)


def frigate_id(number: int) -> str:
    return f"{START + number:.6f}-a{number}b"


def after(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An object as `after` has it: tracked for four seconds, best seen after one."""
    best = {
        "frame_time": START + number + 1,
        "box": [320, 180, 480, 540],
        "area": 57600,
        "region": [200, 100, 700, 600],
        "score": 0.62,
        "attributes": [],
    }
    return {
        "id": frigate_id(number),
        "camera": "front_door",
        "frame_time": START + number + 4,
        "snapshot": best | changes.pop("snapshot", {}),
        "label": "person",
        "sub_label": None,
        "top_score": 0.71,
        "false_positive": False,
        "start_time": START + number,
        "end_time": None,
        "score": 0.55,
        "box": [700, 200, 800, 500],
        "area": 30000,
        "ratio": 0.33,
        "region": [600, 100, 1000, 600],
        "active": True,
        "stationary": False,
        "motionless_count": 0,
        "position_changes": 1,
        "current_zones": [],
        "entered_zones": ["driveway"],
        "has_clip": True,
        "has_snapshot": True,
        "attributes": {},
        "current_attributes": [],
    } | changes


def message(kind: str = "end", number: int = 1, **changes: Any) -> bytes:
    if kind == "end":
        changes = {"end_time": START + number + 4} | changes
    now = after(number, **changes)
    before = now | {"end_time": None, "score": 0.5}
    return json.dumps({"type": kind, "before": before, "after": now}).encode()


def listed(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An event as `/api/events` lists it: boxes are shares of the frame, [x, y, width, height]."""
    data = {"box": [0.25, 0.25, 0.125, 0.5], "region": [0.2, 0.2, 0.4, 0.7], "score": 0.62, "top_score": 0.71}
    return {
        "id": frigate_id(number),
        "camera": "front_door",
        "label": "person",
        "sub_label": None,
        "start_time": START + number,
        "end_time": START + number + 4,
        "false_positive": None,
        "zones": ["driveway"],
        "has_clip": True,
        "has_snapshot": True,
        "top_score": None,
        "data": data | {"attributes": [], "type": "object"} | changes.pop("data", {}),
    } | changes


def picture(width: int = 1280, height: int = 720, kind: str = ".jpg", grey: int = 128) -> bytes:
    ok, data = cv2.imencode(kind, np.full((height, width, 3), grey, np.uint8))
    assert ok
    return data.tobytes()
