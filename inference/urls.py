"""Pages of the model's side."""

from django.urls import path

from inference.views import sources

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/<uuid:pk>/", sources.source, name="source"),
    path("sources/<uuid:pk>/events/", sources.events, name="source-events"),
]
