"""Sign-in and people. Only these doors of django-allauth are open: no sign-up, no e-mail pages."""

from allauth.account import views as account
from django.urls import include, path

from accounts.doors import public
from accounts.lock import leaving
from accounts.views import audit, lock, reauthentication, workstations

urlpatterns = [
    path("accounts/login/", public("sign-in")(account.login), name="account_login"),
    path("accounts/logout/", public("sign-out")(leaving(account.logout)), name="account_logout"),
    path("accounts/signup/", public("closed: says so")(account.signup), name="account_signup"),
    path("accounts/reauthenticate/", reauthentication.reauthenticate, name="account_reauthenticate"),
    path("", include("accounts.people_urls")),
    path("audit/", audit.audit, name="audit"),
    path("lock/", lock.screen, name="lock"),
    path("lock/now/", lock.lock_now, name="lock-now"),
    path("lock/active/", lock.active, name="lock-active"),
    path("lock/unlock/", lock.unlock, name="lock-unlock"),
    path("lock/leave/", lock.leave, name="lock-leave"),
    path("lock/urgent/", lock.urgent, name="lock-urgent"),
    path("me/outbox-keys/", workstations.outbox_keys, name="outbox-keys"),
    path("me/workstation/", workstations.mine, name="my-workstation"),
    path("me/workstation/share/", workstations.share, name="workstation-share"),
    path("me/workstation/unshare/", workstations.unshare, name="workstation-unshare"),
    path("me/workstation/pin/", workstations.pin, name="workstation-pin"),
    path("people/workstations/", workstations.workstations, name="workstations"),
    path("people/workstations/<uuid:pk>/", workstations.change, name="workstation-change"),
    path("people/workstations/<uuid:pk>/retire/", workstations.retire, name="workstation-retire"),
    path("people/badges/", workstations.register_badge, name="badges"),
    path("people/badges/<uuid:pk>/revoke/", workstations.revoke_badge, name="badge-revoke"),
]
