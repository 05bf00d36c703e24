"""Pages of the review side."""

from django.urls import path

from review.views import connect, desk, events, home, inbox, media, openings, policy, queues, releases

urlpatterns = [
    path("", home.home, name="home"),
    path("queues/", queues.queues, name="queues"),
    path("queues/<uuid:pk>/row/", queues.queue_row, name="queue-row"),
    path("queues/<uuid:pk>/desk/", desk.desk, name="desk"),
    path("queues/<uuid:pk>/desk/counts/", desk.counts, name="desk-counts"),
    path("queues/<uuid:pk>/desk/claim/", desk.claim_next, name="desk-claim"),
    path("queues/<uuid:pk>/desk/held/", desk.held, name="desk-held"),
    path("queues/<uuid:pk>/desk/take/", desk.take_offer, name="desk-take"),
    path("queues/<uuid:pk>/desk/here/", desk.here, name="desk-here"),
    path("claims/<uuid:pk>/open/", desk.open_claim, name="claim-open"),
    path("claims/<uuid:pk>/picture/", desk.picture, name="claim-picture"),
    path("claims/<uuid:pk>/heartbeat/", desk.heartbeat, name="claim-heartbeat"),
    path("claims/<uuid:pk>/release/", desk.release, name="claim-release"),
    path("claims/<uuid:pk>/skip/", desk.skip, name="claim-skip"),
    path("claims/<uuid:pk>/escalate/", desk.escalate, name="claim-escalate"),
    path("items/<uuid:pk>/verdict/", desk.verdict, name="item-verdict"),
    path("verdicts/<uuid:pk>/undo/", desk.undo, name="verdict-undo"),
    path("events/", events.events, name="events"),
    path("events/<uuid:pk>/", events.event, name="event"),
    path("events/<uuid:pk>/open/", openings.open_event, name="event-open"),
    path("media/<uuid:pk>/original/", media.original, name="media-original"),
    path("media/<uuid:pk>/<slug:kind>/", media.media, name="media"),
    path("policy/", policy.policies, name="policies"),
    path("policy/<uuid:pk>/", policy.policy, name="policy"),
    path("sources/<uuid:pk>/first/", connect.first, name="source-first"),
    path("sources/<uuid:pk>/first/picture/", connect.picture, name="source-first-picture"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/maps/<uuid:pk>/end/", inbox.unmap, name="name-unmap"),
    path("releases/", releases.releases, name="releases"),
    path("releases/<uuid:pk>/", releases.release, name="release"),
    path("releases/<uuid:pk>/state/", releases.state, name="release-state"),
    path("releases/<uuid:pk>/files/<path:name>", releases.file, name="release-file"),
    path("releases/<uuid:pk>/archive.zip", releases.archive, name="release-archive"),
]
