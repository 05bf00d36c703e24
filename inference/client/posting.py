"""`secondlook-edge post`: one picture with predictions that another program made, without writing Python."""

import argparse
import json
import os
import tomllib
from pathlib import Path
from typing import Any

from inference.client.adapters import roboflow
from inference.client.adapters.fields import FieldMapping
from inference.client.client import Client
from inference.client.exceptions import BadInput
from inference.client.picture import picture_of
from inference.client.prediction import Prediction

TOKEN_VARIABLE = "SECONDLOOK_TOKEN"  # noqa: S105  the name of a variable


def add_parser(command: argparse.ArgumentParser) -> None:
    command.add_argument("picture", type=Path, help="JPEG, PNG or WebP file")
    command.add_argument("--server", required=True, help="address of Second Look, such as https://desk.example")
    command.add_argument("--token", help=f"source token; better in {TOKEN_VARIABLE}, where nobody else reads it")
    command.add_argument("--model", help="name and version of the model, as NAME:VERSION; none: a person reports it")
    command.add_argument("--predictions", type=Path, help="JSON file: Roboflow's form, or any with --mapping")
    command.add_argument("--mapping", type=Path, help="TOML file that says where the JSON keeps what (docs/client.md)")
    command.add_argument("--camera", help="short name of the camera; default: the token's camera")
    command.add_argument("--kind", choices=["unsure", "flagged", "sample", "report"])
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Post and print the answer as JSON."""
    token = options.token or os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise BadInput(f"say the token in {TOKEN_VARIABLE} or with --token")
    picture = picture_of(options.picture)
    found = read_predictions(options, (picture.width, picture.height))
    with Client(options.server, token) as client:
        posted = client.post(
            picture, model=model_of(options.model), predictions=found, kind=options.kind, camera=options.camera
        )
    print(json.dumps({"id": posted.id, "event_id": posted.event_id, "status": posted.status}))  # noqa: T201
    return 0


def model_of(said: str | None) -> tuple[str, str] | None:
    if said is None:
        return None
    name, _colon, version = said.rpartition(":")
    if not name or not version:
        raise BadInput("--model is NAME:VERSION")
    return name, version


def read_predictions(options: argparse.Namespace, frame: tuple[int, int]) -> list[Prediction]:
    if options.predictions is None:
        return []
    try:
        document: Any = json.loads(options.predictions.read_text(encoding="utf-8"))
        if options.mapping is None:
            return roboflow.predictions_of(document)
        mapping = FieldMapping(**tomllib.loads(options.mapping.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{options.predictions}: {error}") from error
    return mapping.predictions_of(document, frame=frame)
