"""Pages of the model's side."""

from django.urls import path

from inference.views import download, places, sources

urlpatterns = [
    path("agent/<str:name>", download.agent, name="agent"),
    path("sources/", sources.sources, name="sources"),
    path("sites/", places.sites, name="sites"),
    path("sites/new/", places.new_site, name="site-new"),
    path("sites/<uuid:pk>/", places.site, name="site"),
    path("cameras/", places.cameras, name="cameras"),
    path("cameras/<uuid:pk>/", places.camera, name="camera"),
    path("cameras/<uuid:pk>/retire/", places.retire, name="camera-retire"),
    path("cameras/<uuid:pk>/restore/", places.restore, name="camera-restore"),
    path("sources/connect/", sources.connect, name="source-connect"),
    path("sources/<uuid:pk>/no-clone/", sources.no_clone, name="source-no-clone"),
    path("sources/<uuid:pk>/revoke/", sources.revoke, name="source-revoke"),
    path("sources/<uuid:pk>/rotate/", sources.rotate, name="source-rotate"),
    path("sources/<uuid:pk>/rate/", sources.rate, name="source-rate"),
    path("sources/<uuid:pk>/rename/", sources.rename, name="source-rename"),
    path("sources/<uuid:pk>/", sources.source, name="source"),
    path("sources/<uuid:pk>/events/", sources.events, name="source-events"),
]
