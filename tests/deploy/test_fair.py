"""Turns for the server's threads: a flood of one caller does not stand in front of everybody else."""

import asyncio
from typing import Any

from deploy.limits.fair import FairTurns, caller_of


def served(requests: list[str], *, places: int = 1) -> list[str]:
    """In which order requests that are all there at once are served."""

    async def run() -> list[str]:
        turns, order = FairTurns(places), []

        async def one(caller: str) -> None:
            async with turns.turn(caller):
                order.append(caller)
                await asyncio.sleep(0)

        await asyncio.gather(*(one(caller) for caller in requests))
        assert (turns.free, dict(turns.waiting)) == (places, {})
        return order

    return asyncio.run(run())


def test_callers_take_turns_however_many_requests_each_has() -> None:
    assert served(["a"] * 6 + ["b", "b", "c"]) == ["a", "a", "b", "c", "a", "b", "a", "a", "a"]


def test_one_caller_alone_has_all_places() -> None:
    assert served(["a"] * 5, places=8) == ["a"] * 5


def test_never_more_at_once_than_there_are_places() -> None:
    async def run() -> int:
        turns, inside, most = FairTurns(3), 0, 0

        async def one(number: int) -> None:
            nonlocal inside, most
            async with turns.turn(f"caller {number % 4}"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(one(number) for number in range(40)))
        return most

    assert asyncio.run(run()) == 3


def test_beside_others_nobody_is_at_work_in_all_threads() -> None:
    async def run() -> list[int]:
        now = 0.0
        turns, crowd, most = FairTurns(8, clock=lambda: now), 0, [0, 0, 0]

        async def one(stretch: int) -> None:
            nonlocal crowd
            async with turns.turn("loud"):
                crowd += 1
                most[stretch] = max(most[stretch], crowd)
                await asyncio.sleep(0)
                crowd -= 1

        await asyncio.gather(*(one(0) for _number in range(20)))
        async with turns.turn("quiet"):
            await asyncio.gather(*(one(1) for _number in range(20)))
        now += 60
        await asyncio.gather(*(one(2) for _number in range(20)))
        assert (turns.free, dict(turns.waiting), dict(turns.busy)) == (8, {}, {})
        return most

    assert asyncio.run(run()) == [8, 2, 8]


def test_who_hangs_up_while_waiting_gives_the_place_on() -> None:
    async def run() -> list[str]:
        turns, order = FairTurns(1), []
        gate = asyncio.Event()

        async def one(caller: str) -> None:
            async with turns.turn(caller):
                order.append(caller)
                await gate.wait()

        tasks: list[Any] = [asyncio.create_task(one(caller)) for caller in "abc"]
        await asyncio.sleep(0.01)
        tasks[1].cancel()
        gate.set()
        await asyncio.gather(tasks[0], tasks[2])
        assert turns.free == 1
        return order

    assert asyncio.run(run()) == ["a", "c"]


def test_a_place_given_to_who_has_just_gone_is_not_lost() -> None:
    async def run() -> int:
        turns = FairTurns(1)
        await turns.wait("a")
        gone = asyncio.create_task(turns.wait("b"))
        await asyncio.sleep(0)
        turns.done("a")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        return turns.free

    assert asyncio.run(run()) == 1


def test_callers_are_told_apart_by_credential_then_browser_then_address() -> None:
    assert caller_of({"HTTP_AUTHORIZATION": "Bearer x", "HTTP_COOKIE": "s=1", "REMOTE_ADDR": "::1"}) == "Bearer x"
    assert caller_of({"HTTP_COOKIE": "s=1", "REMOTE_ADDR": "::1"}) == "s=1"
    assert caller_of({"REMOTE_ADDR": "::1"}) == "::1"
