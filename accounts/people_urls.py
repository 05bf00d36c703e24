"""People, their roles and accounts, and everybody's own pages."""

from django.urls import path

from accounts.views import accounts, me, people, person, person_acts, roles

urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/roles/", roles.roles, name="roles"),
    path("people/new/", accounts.new_person, name="person-new"),
    path("people/grants/<uuid:pk>/end/", person_acts.end_grant, name="grant-end"),
    path("people/grants/<uuid:pk>/change/", person_acts.change_grant, name="grant-change"),
    path("people/tokens/<uuid:pk>/revoke/", person_acts.revoke_token, name="token-revoke"),
    path("people/<uuid:pk>/", person.person, name="person"),
    path("people/<uuid:pk>/roles/", person_acts.give_role, name="grant-give"),
    path("people/<uuid:pk>/rename/", person_acts.rename, name="person-rename"),
    path("people/<uuid:pk>/deactivate/", person_acts.deactivate, name="person-deactivate"),
    path("people/<uuid:pk>/reactivate/", person_acts.reactivate, name="person-reactivate"),
    path("people/<uuid:pk>/password-link/", accounts.password_link, name="password-link"),
    path("me/", me.me, name="me"),
    path("me/tokens/", me.my_tokens, name="my-tokens"),
    path("me/tokens/<uuid:pk>/revoke/", me.revoke_my_token, name="my-token-revoke"),
]
