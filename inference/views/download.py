"""The agent to download: what a device installs before it has a token."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.doors import public
from accounts.exceptions import NotFound
from inference.download import LISTS, requirements, wheel, wheel_name


@require_safe
@public("the agent is the product's own code and holds no secret; a device has no account")
def agent(request: HttpRequest, name: str) -> HttpResponse:
    """The wheel or a list of its locked packages, by file name: pip reads the version from the name."""
    if name in LISTS:
        answer = HttpResponse(requirements(name), content_type="text/plain; charset=utf-8")
    elif name == wheel_name():
        answer = HttpResponse(wheel(), content_type="application/zip")
    else:
        raise NotFound
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
