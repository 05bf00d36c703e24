"""Signing in: name and password, a passkey, a second step. django-allauth's steps with our answers."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts.sso.providers import providers


def refused(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The page with what is wrong on it, with the status of a refusal."""
    error = getattr(request, "throttled", None)
    response.status_code = 422 if error is None else error.status
    if error is not None:
        response["Retry-After"] = str(error.members["retry_after"])
    return response


@method_decorator(require_http_methods(["GET", "POST"]), name="dispatch")
class SignIn(LoginView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(self.request, super().form_invalid(form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        hours = settings.SESSION_COOKIE_AGE // 3600
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"providers": list(providers().values()), "hours": hours}


@method_decorator(require_http_methods(["GET", "POST"]), name="dispatch")
class SecondStep(AuthenticateView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponse:
        return refused(self.request, super().form_invalid(form))


sign_in = SignIn.as_view()
second_step = SecondStep.as_view()
