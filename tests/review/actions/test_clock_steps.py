"""F10: the server's clock steps by an hour, or two web processes disagree by one."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.roles import Role
from review.actions.claims import claim_next, heartbeat
from review.exceptions import ClaimLost
from review.models import Claim, Item
from tests.factories import Place, give_answer, make_item, make_person

HOUR = timedelta(hours=1)


@pytest.fixture
def other(place: Place) -> User:
    return make_person("other", Role.OPERATOR, place.site)


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["ahead", "back"])
def test_of_two_processes_whose_clocks_disagree_one_gives_an_item_away(
    place: Place, operator: User, other: User, step: timedelta
) -> None:
    item, now = make_item(place), timezone.now()
    first = claim_next(queue=place.queue, person=operator, now=now)
    assert first is not None
    second = claim_next(queue=place.queue, person=other, now=now + step)
    item.refresh_from_db()
    live = Claim.objects.filter(item=item, ended_at=None)
    assert live.count() == 1
    assert live.get().pk == item.claim_id
    # A clock that is ahead takes the item over, as after any lease; the zombie is told, and only one answer counts.
    assert (second is not None) == (step > timedelta(0))
    owner, late = (second, first) if second else (first, None)
    if late is not None:
        with pytest.raises(ClaimLost):
            heartbeat(claim=Claim.objects.get(pk=late.pk), now=now)
    give_answer(Claim.objects.get(pk=owner.pk), now=now + max(step, timedelta(0)))
    assert Item.objects.get().state == "decided"


def test_a_lease_from_before_a_step_back_ends_with_the_step_at_the_latest(
    place: Place, operator: User, other: User
) -> None:
    make_item(place)
    now = timezone.now()
    assert claim_next(queue=place.queue, person=operator, now=now + HOUR) is not None
    assert claim_next(queue=place.queue, person=other, now=now) is None
    lease = timedelta(seconds=settings.SECONDLOOK["LEASE_SECONDS"])
    taken = claim_next(queue=place.queue, person=other, now=now + HOUR + lease + timedelta(seconds=1))
    assert taken is not None
    assert Claim.objects.filter(ended_at=None).count() == 1


def test_a_heartbeat_after_the_step_brings_the_lease_back_to_the_right_time(place: Place, operator: User) -> None:
    make_item(place)
    now = timezone.now()
    claim = claim_next(queue=place.queue, person=operator, now=now + HOUR)
    assert claim is not None
    heartbeat(claim=Claim.objects.get(pk=claim.pk), now=now)
    lease = timedelta(seconds=settings.SECONDLOOK["LEASE_SECONDS"])
    assert Item.objects.get().claim_expires_at <= now + lease


def test_the_trail_keeps_the_order_in_which_things_happened(
    place: Place, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, given = timezone.now, []
    for step in (HOUR, -HOUR, timedelta(0)):
        with monkeypatch.context() as patch:
            patch.setattr("django.utils.timezone.now", lambda step=step: real() + step)
            make_item(place)
            claim = claim_next(queue=place.queue, person=operator, now=timezone.now())
            assert claim is not None
            given.append(str(give_answer(claim, now=timezone.now()).verdict.pk))
    entries = AuditEntry.objects.filter(verb="verdict.given").order_by("pk")
    assert [entry.additional_data["verdict"] for entry in entries] == given
