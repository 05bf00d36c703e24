"""The one path of the baseline."""

import os
from pathlib import Path
from typing import Any

from django.urls import path

from deploy.benchmarks.bare import store


def post(request: Any) -> Any:
    return store(Path(os.environ["BARE_FOLDER"]), request)


urlpatterns = [path("events", post)]
