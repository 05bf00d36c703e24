"""Pages of the model's side."""

from django.urls import path

from inference.views import sources

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/connect/", sources.connect, name="source-connect"),
    path("sources/<uuid:pk>/revoke/", sources.revoke, name="source-revoke"),
    path("sources/<uuid:pk>/rotate/", sources.rotate, name="source-rotate"),
    path("sources/<uuid:pk>/rate/", sources.rate, name="source-rate"),
    path("sources/<uuid:pk>/rename/", sources.rename, name="source-rename"),
    path("sources/<uuid:pk>/", sources.source, name="source"),
    path("sources/<uuid:pk>/events/", sources.events, name="source-events"),
]
