"""The API object: its resources, its errors, its description."""

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja.errors import ValidationError

from accounts import refusals
from accounts.exceptions import Invalid, NotFound, SecondLookError
from inference.models import Source, TallyOutcome
from inference.tallies import tallies
from review import faults, problems
from review.api import answers, claims, counts, events, evidence, items, queues, releases, sources, verdicts
from review.api.description.document import TEXT, DescribedAPI
from review.api.events import LATER
from review.schemas import json_path

api = DescribedAPI(
    title="Second Look",
    version="1",
    description=TEXT,
    urls_namespace="api-1",
    # The package's page writes inline styles, which no page here may; ours is review/views/reference.py.
    docs_url=None,
    openapi_url="openapi.json",
    docs_decorator=require_safe,
)
api.add_router("", sources.router)
api.add_router("", events.router)
api.add_router("", answers.router)
api.add_router("", counts.router)
api.add_router("", evidence.router)
api.add_router("", queues.router)
api.add_router("", claims.router)
api.add_router("", items.router)
api.add_router("", verdicts.router)
api.add_router("", releases.router)


@api.exception_handler(SecondLookError)
def on_error(request: HttpRequest, error: SecondLookError) -> HttpResponse:
    refusals.note(request, error, door="api")
    faults.note(request, error)
    if isinstance(source := getattr(request, "auth", None), Source):
        tallies.count(source.pk, TallyOutcome.LATER if error.status in LATER else TallyOutcome.REJECTED, error.code)
    return problems.problem(error)


@api.exception_handler(OperationalError)
def on_database(request: HttpRequest, error: OperationalError) -> HttpResponse:
    return problems.problem(problems.from_database(error))


@api.exception_handler(Http404)
def on_missing(request: HttpRequest, error: Http404) -> HttpResponse:
    refusals.note(request, NotFound(), door="api")
    return problems.problem(NotFound())


@api.exception_handler(ValidationError)
def on_parameters(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"path": json_path(tuple(fault["loc"][1:])), "message": fault["msg"]} for fault in error.errors]
    return problems.problem(Invalid("A parameter cannot be used.", code="schema", errors=errors))
