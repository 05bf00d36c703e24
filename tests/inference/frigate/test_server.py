"""The connector against Second Look itself: what it makes is taken, drawn in the right place, and taken once."""

from collections.abc import Callable
from typing import Any

import pytest

from review.models import Event, Evidence
from tests import factories
from tests.factories import Place

from .conftest import Mosquitto, Running, wait_until
from .messages import frigate_id, listed, message, picture
from .nvr_stub import NvrStub

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def yard(transactional_db: None) -> Place:
    return factories.make_place("yard")


@pytest.fixture
def connect(
    live_server: Any, yard: Place, start: Callable[..., Running], configured: Callable[..., dict[str, Any]]
) -> Callable[..., Running]:
    """A connector with the yard's token and the yard's model."""

    def connect(**changes: Any) -> Running:
        data = configured(model={"name": "detector", "version": "1.0"}, **changes)
        return start(data, url=live_server.url, token=yard.token)

    return connect


def test_an_object_is_an_item_with_its_picture_and_box(
    connect: Callable[..., Running], broker: Mosquitto, nvr: NvrStub
) -> None:
    nvr.always["snapshot.jpg"] = picture(640, 360)
    running = connect()
    broker.publish(message(snapshot={"score": 0.55}, sub_label=["courier", 0.9]))
    wait_until(lambda: Event.objects.exists(), "no event came")
    running.end()
    event = Event.objects.get()
    assert (event.frame_width_px, event.frame_height_px, event.camera.slug) == (640, 360, "cam-1")
    assert event.context["frigate_id"] == frigate_id(1)
    [prediction] = event.predictions
    assert (prediction["class"], prediction["confidence"]) == ("person", 0.55)
    assert prediction["box"] == [160.0, 90.0, 80.0, 180.0]
    assert event.items.get().queue.slug == "unsure"
    assert Evidence.objects.get().size == len(picture(640, 360))


def test_told_of_by_the_broker_and_by_the_list_it_is_one_event(
    connect: Callable[..., Running], broker: Mosquitto, nvr: NvrStub, tmp_path: Any
) -> None:
    running = connect()
    broker.publish(message())
    wait_until(lambda: Event.objects.exists(), "no event came")
    running.end()
    nvr.listed = [listed(1), listed(2)]
    nvr.asked.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.frigate.pictures.Pictures.start", lambda self: self._thread.start())
        patch.setattr("inference.frigate.inbox.Inbox.mark", lambda _self, _name: 1795680000.0 + 3600)
        running = connect(frigate={"catch_up_every_s": 3600})
        wait_until(lambda: Event.objects.count() == 2, "the second object never came")
        running.end()
    assert Event.objects.filter(context__frigate_id=frigate_id(1)).count() == 1


def test_an_event_without_a_picture_is_taken(connect: Callable[..., Running], broker: Mosquitto, nvr: NvrStub) -> None:
    nvr.always.clear()
    running = connect()
    broker.publish(message(false_positive=True))
    wait_until(lambda: Event.objects.exists(), "no event came")
    running.end()
    assert Event.objects.get().flags == ["picture_not_there"]
