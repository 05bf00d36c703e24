"""The command `secondlook-edge`: `run`, `probe`, `post`, `frigate`, `status`.

Exit status: 0 done, 1 the source or the disk failed, 2 the configuration, the model or the arguments are wrong.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from inference.client import posting
from inference.client.exceptions import ClientError
from inference.edge import agent, log, outbox, probe
from inference.edge.config import Config, load, parse
from inference.edge.exceptions import ConfigError, EdgeError
from inference.edge.token import TOKEN_VARIABLE, read_token
from inference.edge.version import VERSION
from inference.frigate import command
from inference.vision.exceptions import ModelError, VisionError
from inference.vision.session import Detector

_DEFAULT_DATA = "secondlook-edge-data"
# Without a configuration file: post what is between the floor and here, and a sample of what is above.
_SURE = 0.6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        return status
    except ClientError as error:
        print(json.dumps({"event": "failed", "code": error.code, "problem": str(error)}), file=sys.stderr)
        return 2 if error.code == "bad_input" else 1
    except (EdgeError, VisionError) as error:
        print(json.dumps({"event": "failed", "code": error.code, "problem": error.message}), file=sys.stderr)
        return 2 if isinstance(error, ConfigError | ModelError) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("secondlook-edge", description="The device agent of Second Look.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_run(commands.add_parser("run", help="watch a source and post what is doubtful"))
    _add_probe(commands.add_parser("probe", help="show what is understood of a model, and what it sees"))
    posting.add_parser(commands.add_parser("post", help="post one picture with predictions that another program made"))
    command.add_parser(commands.add_parser("frigate", help="post what a Frigate NVR is not sure of"))
    _add_status(commands.add_parser("status", help="show the figures of the outbox"))
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--config", type=Path, help="configuration file (agent.toml)")
    run.add_argument("--source", help="camera number, video file, folder of pictures, or rtsp:// address")
    run.add_argument("--model", help="ONNX file; classes and input come from its metadata")
    run.add_argument("--server", help="address of Second Look, such as https://desk.example")
    run.add_argument(
        "--token", help=f"source token; visible to everybody on this machine, better {TOKEN_VARIABLE} or token_file"
    )
    run.add_argument("--camera", help="slug of the camera; default: the token's camera")
    run.add_argument("--data", type=Path, help=f"folder of the outbox; default: {_DEFAULT_DATA}")
    run.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    run.add_argument(
        "--stop-with-stdin", action="store_true", help="stop when standard input closes, as it does when a parent dies"
    )
    run.set_defaults(command=_run)


def _add_probe(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", type=Path, help="ONNX file")
    command.add_argument("--image", type=Path, help="picture to look at")
    command.add_argument("--out", type=Path, help="JPEG file to draw into")
    command.add_argument("--floor", type=float, default=0.25, help="lowest confidence shown, 0..1 (default 0.25)")
    command.add_argument("--sha256", help="digest that the file must have")
    command.add_argument("--classes", help="class names in order, separated by commas, if the file has none")
    command.add_argument("--json", action="store_true", help="machine-readable")
    command.set_defaults(command=_probe)


def _add_status(status: argparse.ArgumentParser) -> None:
    status.add_argument("--data", type=Path, help=f"folder of the outbox; default: {_DEFAULT_DATA}")
    status.add_argument("--config", type=Path, help="configuration file that names the folder")
    status.set_defaults(command=_status)


def _run(options: argparse.Namespace) -> int:
    setup = _setup(options)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    if options.stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), name="stdin", daemon=True).start()
    # OpenCV and FFmpeg write plain text to stderr, where every line is JSON.
    os.environ.update(OPENCV_FFMPEG_LOGLEVEL="-8", OPENCV_LOG_LEVEL="SILENT")
    listener = log.start(options.log_level)
    try:
        agent.run(setup, stop)
    finally:
        listener.stop()
    return 0


def _stop_at_end_of_input(stop: threading.Event) -> None:
    """Wait for standard input to close: it does so even when the process at its other end is killed."""
    # Read past Python's buffer: its lock, held by this thread, would abort the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


def _probe(options: argparse.Namespace) -> int:
    classes = options.classes.split(",") if options.classes else None
    detector = Detector.open(options.model, sha256=options.sha256, classes=classes)
    understood = probe.describe(detector)
    detections = None
    if options.image is not None:
        detections = probe.look(detector, options.image, options.floor, options.out)
    if options.json:
        seen = None if detections is None else [asdict(detection) for detection in detections]
        print(json.dumps({**understood, "detections": seen}))
    else:
        print(probe.as_text(understood, detections))
    return 0


def _status(options: argparse.Namespace) -> int:
    config = load(options.config) if options.config else None
    print(json.dumps(outbox.figures(_data(options, config)), indent=2))
    return 0


def _setup(options: argparse.Namespace) -> agent.Setup:
    config = load(options.config) if options.config else parse(_from_options(options))
    if options.camera:
        config = _with_camera(config, options.camera)
    url = options.server or config.server.url
    if not url or not url.startswith(("http://", "https://")):
        raise ConfigError("config_invalid", "give the server's address (http:// or https://)", "$.server.url")
    base = options.config.parent if options.config else Path()
    return agent.Setup(config, base, _data(options, config), url, read_token(options.token, config.server, base))


def _from_options(options: argparse.Namespace) -> dict[str, Any]:
    """The configuration of a run without a file."""
    if options.source is None or options.model is None:
        raise ConfigError("config_invalid", "give --config, or --source and --model")
    return {
        "source": _source(options.source),
        "model": {"path": options.model},
        "rules": [
            {"name": "unsure", "confidence": [0.25, _SURE], "dwell": 2, "event": {"kind": "unsure"}},
            {"name": "sample", "confidence": [_SURE, 1.0], "sample": 0.02, "event": {"kind": "sample"}},
        ],
    }


def _source(text: str) -> dict[str, Any]:
    if text.isdecimal():
        return {"live": int(text)}
    if "://" in text:
        return {"live": text}
    return {"folder": text} if Path(text).is_dir() else {"file": text}


def _with_camera(config: Config, camera: str) -> Config:
    """Through the checks again, so that a slug from the command line is held to the same rule."""
    return parse({**msgspec.to_builtins(config), "camera": camera})


def _data(options: argparse.Namespace, config: Config | None) -> Path:
    if options.data is not None:
        return Path(options.data)
    if config is not None and config.data is not None and options.config is not None:
        return Path(options.config.parent / config.data)
    return Path(_DEFAULT_DATA)


if __name__ == "__main__":
    sys.exit(main())
