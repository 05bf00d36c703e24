"""Signing in, what one signs in with, invitations, and the rules of it. No other door of django-allauth is open."""

from allauth.account import views as account
from allauth.mfa.webauthn import views as webauthn
from django.urls import path
from django.views.decorators.http import require_http_methods

from accounts.doors import public
from accounts.lock import leaving
from accounts.views import invitations, joining, reauthentication, security, sign_in, sign_in_rules, single_sign_on

get_or_post = require_http_methods(["GET", "POST"])

urlpatterns = [
    path("accounts/login/", public("sign-in")(sign_in.sign_in), name="account_login"),
    path("accounts/logout/", public("sign-out")(leaving(get_or_post(account.logout))), name="account_logout"),
    path("accounts/signup/", public("closed: says so")(account.signup), name="account_signup"),
    path("accounts/code/", public("sign-in: the second step")(sign_in.second_step), name="mfa_authenticate"),
    path(
        "accounts/passkey/",
        public("sign-in with a passkey")(get_or_post(webauthn.login_webauthn)),
        name="mfa_login_webauthn",
    ),
    path("accounts/sso/<slug:name>/", single_sign_on.start, name="sso-start"),
    path("accounts/sso/<slug:name>/back/", single_sign_on.back, name="sso-back"),
    path("accounts/join/", joining.join, name="join"),
    path("accounts/new-password/", joining.new_password, name="new-password"),
    path("accounts/reauthenticate/", reauthentication.reauthenticate, name="account_reauthenticate"),
    path("me/security/", security.security, name="security"),
    path("me/security/password/", security.password, name="password"),
    path("me/security/app/", security.app, name="app-set-up"),
    path("me/security/passkeys/", security.passkey, name="passkey-add"),
    path("me/security/factors/<int:number>/remove/", security.remove, name="factor-remove"),
    path("me/security/codes/", security.recovery_codes, name="recovery-codes"),
    path("me/security/sessions/end/", security.end, name="sessions-end"),
    path("me/security/identities/<uuid:pk>/unlink/", security.unlink, name="identity-unlink"),
    path("people/invitations/", invitations.invitations, name="invitations"),
    path("people/invitations/<uuid:pk>/revoke/", invitations.revoke, name="invitation-revoke"),
    path("people/sign-in/", sign_in_rules.rules, name="sign-in-rules"),
    path("people/sign-in/mappings/", sign_in_rules.map_group, name="group-map"),
    path("people/sign-in/mappings/<uuid:pk>/end/", sign_in_rules.unmap_group, name="group-unmap"),
]
