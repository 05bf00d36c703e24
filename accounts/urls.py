"""Sign-in and people. Only these doors of django-allauth are open: no sign-up, no e-mail pages."""

from allauth.account import views as account
from django.urls import path

from accounts.doors import public
from accounts.views import audit, people, reauthentication

urlpatterns = [
    path("accounts/login/", public("sign-in")(account.login), name="account_login"),
    path("accounts/logout/", public("sign-out")(account.logout), name="account_logout"),
    path("accounts/signup/", public("closed: says so")(account.signup), name="account_signup"),
    path("accounts/reauthenticate/", reauthentication.reauthenticate, name="account_reauthenticate"),
    path("people/", people.people, name="people"),
    path("people/grants/<uuid:pk>/end/", people.end_grant, name="grant-end"),
    path("audit/", audit.audit, name="audit"),
]
