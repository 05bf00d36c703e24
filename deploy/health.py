"""Whether this process lives, and whether it can work."""

from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult
from redis.exceptions import RedisError

from accounts import broadcast
from accounts.doors import public
from review import evidence_store
from review.evidence_store import StoreUnavailable
from review.models import FileDamage

OLD_TASK = timedelta(minutes=5)


@require_safe
@public("says only that the process answers")
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@public("names parts and no data")
def readyz(request: HttpRequest) -> JsonResponse:
    """503 when intake lacks a part; a task queue that lags and files found damaged are `degraded`, still 200."""
    checks: dict[str, Any] = {
        "database": check(database),
        "files": check(files),
        "channel_layer": check(channel_layer),
        "disk": check(disk),
    }
    lesser = {"tasks": check(task_queue), "evidence": check(evidence)}
    ready = all(state == "ok" for state in checks.values())
    well = all(state == "ok" for state in lesser.values())
    status = "unavailable" if not ready else "ok" if well else "degraded"
    return JsonResponse({"status": status, "checks": checks | lesser}, status=200 if ready else 503)


def check(part: Any) -> str:
    """`ok`, or what is wrong in one word; an exception's text stays in the log."""
    try:
        return str(part())
    except (OperationalError, OSError, RedisError, StoreUnavailable):
        return "unavailable"


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def files() -> str:
    store = evidence_store.file_store()
    root = evidence_store.local_path("")
    if root is not None:
        evidence_store.write("probe/ready", b"ok")
    else:
        store.exists("probe/ready")
    return "ok"


def channel_layer() -> str:
    layer = get_channel_layer()
    if layer is None:
        return "missing"
    async_to_sync(broadcast.deliver)(layer, "probe", {"type": "probe"})
    return "ok"


def disk() -> str:
    free = evidence_store.free_bytes()
    return "ok" if free is None or free >= settings.SECONDLOOK["MIN_FREE_BYTES"] else "full"


def task_queue() -> str:
    old = DBTaskResult.objects.ready().filter(enqueued_at__lt=timezone.now() - OLD_TASK)
    return "late" if old.exists() else "ok"


def evidence() -> str:
    return "damaged" if FileDamage.objects.unseen().exists() else "ok"
