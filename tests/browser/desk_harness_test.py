"""The desk's behaviour in a real browser, against scripted answers (`desk_harness.py`)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.browser.desk_harness import (
    CHROMIUM,
    CLASSES,
    ORIGIN,
    PREDICTIONS,
    ROOT,
    Desk,
    accept,
    desk_page,
    show_picture,
)

TWO_PICTURES = "() => performance.getEntriesByType('resource').filter((r) => r.name.includes('/picture/')).length === 2"
PLACES = """() => [...document.querySelectorAll('.verdict, .desk__panel > *')]
  .map((element) => JSON.stringify(element.getBoundingClientRect()))"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs a system Chromium"),
]


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with desk_page() as page:
        yield page


@pytest.fixture
def desk(browser_page: Page) -> Iterator[Desk]:
    page = browser_page.context.new_page()
    desk = Desk(page)
    yield desk
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    assert desk.problems == []


def module(desk: Desk, name: str, expression: str) -> Any:
    """Evaluate an expression over one module of the desk, which it sees as `m`."""
    desk.page.goto(f"{ORIGIN}/static/favicon.svg")
    source = f"/static/js/desk/{name}.js"
    return desk.page.evaluate(f"async () => {{ const m = await import('{source}'); return {expression}; }}")


def test_enter_confirms_and_the_next_picture_is_there_at_once(desk: Desk) -> None:
    desk.open()
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert verdict["answer"] == "confirm"
    assert verdict["complete"] is True
    assert "labels" not in verdict
    assert desk.page.evaluate("performance.getEntriesByName('desk:key-to-paint').length") == 1


def test_the_next_item_is_claimed_ahead_naming_what_is_in_hand(desk: Desk) -> None:
    desk.open()
    desk.page.wait_for_function(TWO_PICTURES)
    first, second = desk.sent("claim")[:2]
    assert first == {"ahead": False, "holding": []}
    assert second["ahead"] is True
    assert second["holding"] == ["00000000-0000-0000-0000-000000000001"]


def test_no_answer_is_taken_before_the_picture_is_painted(desk: Desk) -> None:
    held: list[Route] = []
    desk.on_picture = held.append
    with desk.page.expect_request("**/picture/1.jpg"):
        desk.page.goto(f"{ORIGIN}/desk/", wait_until="domcontentloaded")
    desk.press("Enter", "x", "u", "b")
    assert desk.sent("verdict") == []
    desk.on_picture = None
    for route in held:
        show_picture(route)
    desk.wait_ready()
    assert desk.sent("verdict") == []


def test_a_picture_that_cannot_be_loaded_can_only_be_put_away_or_doubted(desk: Desk) -> None:
    desk.on_picture = lambda route: route.fulfill(status=500)
    desk.page.goto(f"{ORIGIN}/desk/")
    desk.page.wait_for_selector('[data-command="skip"][aria-disabled="false"]')
    desk.press("Enter", "x")
    assert desk.sent("verdict") == []
    desk.press("u")
    desk.page.wait_for_selector("[data-step]")
    assert desk.sent("verdict")[0]["answer"] == "unsure"


def test_what_a_machine_waits_for_is_taken_with_one_key_and_the_draft_is_kept(desk: Desk) -> None:
    desk.offers = [900]
    desk.open()
    desk.page.wait_for_selector("[data-held-offer]")
    desk.press("1", "t")
    desk.wait_item(900)
    assert "cannot be taken back" in desk.page.inner_text("[data-held-note]")
    assert desk.page.get_attribute("[data-desk]", "data-held") == "waiting"
    desk.press("x")
    desk.wait_item(1)
    assert desk.page.inner_text("[data-primary-text]") == "Correct"
    assert "bird → person" in desk.page.inner_text("[data-box-list]")
    assert desk.page.is_hidden("[data-held-note]")
    desk.press("Enter")
    desk.wait_item(2)
    assert [number for what, number, _body in desk.posts if what == "verdict"] == [900, 1]


def test_what_is_on_screen_is_not_offered_beside_itself(desk: Desk) -> None:
    desk.offers, desk.held_s = [1], 600.0
    with desk.page.expect_response("**/held/"):
        desk.open()
    desk.page.wait_for_selector("[data-held-offer]", state="detached")
    desk.offers = [900]
    desk.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    desk.page.wait_for_selector("[data-held-offer]")
    assert "10 min left" in desk.page.inner_text("[data-held-left]")


def test_a_machine_that_waits_no_longer_is_said_to(desk: Desk) -> None:
    desk.offers, desk.held_s = [900], 1.5
    desk.open()
    desk.page.wait_for_selector("[data-held-offer]")
    desk.press("t")
    desk.page.wait_for_selector('[data-desk][data-held="over"]')
    assert "has gone on by itself" in desk.page.inner_text("[data-held-note]")


def test_a_held_down_key_answers_once(desk: Desk) -> None:
    desk.open()
    desk.page.keyboard.down("u")
    for _ in range(5):
        desk.page.keyboard.down("u")
    desk.page.keyboard.up("u")
    desk.wait_item(2)
    assert len(desk.sent("verdict")) == 1


def test_a_relabelled_and_moved_box_becomes_a_correction(desk: Desk) -> None:
    desk.open()
    desk.press("1", "Shift+ArrowRight", "ArrowDown")
    assert desk.page.inner_text("[data-primary-text]") == "Correct"
    assert "bird → person, moved" in desk.page.inner_text("[data-box-list]")
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert verdict["answer"] == "correct"
    assert verdict["labels"][0] == {"class": "person", "attributes": {}, "box": [110, 121, 60, 40], "prediction": "p1"}
    assert len(verdict["labels"]) == 2


def test_only_this_sends_what_was_looked_at_or_touched(desk: Desk) -> None:
    desk.open()
    desk.press("a", "1", "Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert verdict["complete"] is False
    assert [label["prediction"] for label in verdict["labels"]] == ["p1"]


def test_a_box_is_drawn_by_keyboard_alone(desk: Desk) -> None:
    desk.open()
    desk.press("d", "ArrowRight", "r", "Shift+ArrowRight", "m")
    desk.page.keyboard.type("dog")
    desk.press("Enter", "Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    drawn = verdict["labels"][-1]
    assert drawn["class"] == "dog"
    assert "prediction" not in drawn
    x, y, width, height = drawn["box"]
    assert min(x, y) >= 0
    assert x + width <= 640
    assert y + height <= 480


def test_enter_on_a_frame_without_predictions_confirms_that_it_is_empty(desk: Desk) -> None:
    desk.predictions[1] = []
    desk.open()
    assert desk.page.inner_text("[data-primary-text]") == "Confirm empty"
    desk.press("Enter")
    desk.wait_item(2)
    assert desk.sent("verdict")[0]["answer"] == "empty"


def test_undo_brings_the_item_back_with_the_correction(desk: Desk) -> None:
    desk.open()
    desk.press("1", "Enter")
    desk.wait_item(2)
    desk.page.wait_for_selector('[data-step][data-state="saved"]')
    desk.press("z")
    desk.wait_item(1)
    assert desk.page.inner_text("[data-primary-text]") == "Correct"
    desk.press("Enter")
    desk.wait_item(2)
    assert [verdict["answer"] for verdict in desk.sent("verdict")] == ["correct", "correct"]


def test_a_lost_connection_sends_the_same_answer_again(desk: Desk) -> None:
    tries: list[Route] = []

    def first_two_fail(route: Route) -> None:
        tries.append(route)
        route.fulfill(status=503) if len(tries) < 3 else accept(route, 1)

    desk.on_verdict = first_two_fail
    desk.open()
    desk.press("Enter")
    desk.page.wait_for_selector("[data-unsent]:not([hidden])")
    assert kept(desk) == 1
    desk.page.wait_for_selector("[data-unsent]", state="hidden")
    assert kept(desk) == 0
    assert len({verdict["key"] for verdict in desk.sent("verdict")}) == 1


def test_an_answer_outlives_the_session(desk: Desk) -> None:
    desk.on_verdict = lambda route: route.fulfill(status=401, json={"code": "unauthenticated"})
    desk.open()
    desk.press("Enter")
    desk.page.wait_for_selector("[data-banner]:not([hidden])")
    assert "You are signed out" in desk.page.inner_text("[data-banner]")
    assert kept(desk) == 1
    desk.on_verdict = None
    with desk.page.expect_response("**/verdict/"):
        desk.page.click("[data-banner-action]")
    desk.page.wait_for_function("() => !Object.keys(localStorage).some((k) => k.includes('.verdict.'))")


def kept(desk: Desk) -> int:
    """How many verdicts local storage still holds."""
    return int(desk.page.evaluate("() => Object.keys(localStorage).filter((k) => k.includes('.verdict.')).length"))


def test_an_answer_left_by_a_crash_is_sent_by_the_next_page(desk: Desk) -> None:
    desk.on_verdict = lambda route: route.abort()
    desk.open()
    desk.press("Enter")
    desk.page.wait_for_selector("[data-unsent]:not([hidden])")
    [before] = {verdict["key"] for verdict in desk.sent("verdict")}
    desk.on_verdict = None
    with desk.page.expect_response("**/verdict/"):
        desk.page.goto(f"{ORIGIN}/desk/")
    desk.page.wait_for_function("() => !Object.keys(localStorage).some((k) => k.includes('.verdict.'))")
    assert desk.sent("verdict")[-1]["key"] == before


def test_a_stale_answer_shows_both_sides_and_can_be_sent_again(desk: Desk) -> None:
    problem = {
        "code": "stale_version",
        "detail": "Somebody changed it.",
        "current": {"version": 4, "answer": "empty", "by": "Sam"},
    }
    desk.on_verdict = lambda route: route.fulfill(status=409, json=problem, content_type="application/problem+json")
    desk.open()
    desk.press("1", "Enter")
    desk.page.wait_for_selector("[data-banner]:not([hidden])")
    text = desk.page.inner_text("[data-banner]")
    assert "Corrected: person" in text
    assert "Nothing here · Sam" in text
    desk.on_verdict = None
    with desk.page.expect_response("**/verdict/"):
        desk.page.click("[data-banner-action]")
    assert desk.sent("verdict")[-1]["version"] == 4


def test_a_lost_claim_offers_the_next_item(desk: Desk) -> None:
    desk.page.route("**/open/", lambda route: route.fulfill(status=409, json={"code": "claim_lost"}))
    desk.open()
    desk.page.wait_for_selector("[data-banner]:not([hidden])")
    desk.page.click("[data-banner-action]")
    desk.wait_item(2)


def test_keys_do_nothing_while_somebody_types(desk: Desk) -> None:
    desk.open()
    desk.press("e")
    desk.page.keyboard.type("xub 1 d")
    assert desk.page.input_value('[data-escalate-form] [name="note"]') == "xub 1 d"
    assert desk.sent("verdict") == []
    with desk.page.expect_request("**/escalate/"):
        desk.page.click('[data-escalate-form] button[type="submit"]')
    assert desk.sent("escalate")[0]["note"] == "xub 1 d"


def test_a_clicked_button_does_not_swallow_the_next_enter(desk: Desk) -> None:
    desk.open()
    desk.page.click('[data-command="unsure"]')
    desk.wait_item(2)
    desk.press("Enter")
    desk.wait_item(3)
    assert [verdict["answer"] for verdict in desk.sent("verdict")] == ["unsure", "confirm"]


def test_an_empty_queue_says_why(desk: Desk) -> None:
    desk.items = 0
    desk.page.goto(f"{ORIGIN}/desk/")
    desk.page.wait_for_selector("[data-empty]")
    assert "3 are in colleagues' hands" in desk.page.inner_text("[data-empty]")


def test_leaving_the_page_gives_everything_back(desk: Desk) -> None:
    desk.open()
    desk.page.wait_for_function(TWO_PICTURES)
    with desk.page.expect_response("**/items/1/release/"), desk.page.expect_response("**/items/2/release/"):
        # Told by hand, because requests that outlive their page cannot be overheard here.
        desk.page.evaluate("() => { window.dispatchEvent(new Event('pagehide')); }")
    assert {number for kind, number, _body in desk.posts if kind == "release"} == {1, 2}


def test_nothing_moves_when_an_item_is_edited(desk: Desk) -> None:
    desk.open()
    before = desk.page.evaluate(PLACES)
    desk.press("1", "ArrowRight", "n")
    assert desk.page.evaluate(PLACES) == before


def test_every_text_that_script_asks_for_is_on_the_page() -> None:
    page = (ROOT / "templates/review/_desk_texts.html").read_text()
    there = set(re.findall(r'data-text="([\w-]+)"', page))
    asked: set[str] = set()
    for file in (ROOT / "static/js/desk").glob("*.js"):
        code = file.read_text()
        asked |= set(re.findall(r'\bt\("([\w-]+)"', code)) | set(re.findall(r'text: "([\w-]+)"', code))
        asked |= set(re.findall(r': "((?:word|bar|refused|picture)-[\w-]+)"', code))
    assert asked - there == set()


def test_the_keymap_refuses_a_key_with_two_meanings(desk: Desk) -> None:
    table = "[{command: 'a', keys: ['x']}, {command: 'b', keys: ['x']}]"
    code = f"(() => {{ try {{ m.validate({table}); return ''; }} catch (e) {{ return e.message; }} }})()"
    said = module(desk, "keymap", code)
    assert said == "The key x means a and b"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m.moveBox([10, 10, 20, 20], -50, 500, {width: 100, height: 80})", [0, 60, 20, 20]),
        ("m.resizeBox([10, 10, 20, 20], 'se', -100, 500, {width: 100, height: 80})", [10, 10, 1, 70]),
        ("m.resizeBox([10, 10, 20, 20], 'nw', 100, -100, {width: 100, height: 80})", [29, 0, 1, 30]),
        ("m.boxBetween({x: 50, y: -5}, {x: 20, y: 30}, {width: 100, height: 80})", [20, 0, 30, 30]),
        ("m.snapBox([3, 30, 95, 20], 6, {width: 100, height: 80})", [0, 30, 100, 20]),
        ("m.clampBox([99, 79, 0, 0], {width: 100, height: 80})", [99, 79, 1, 1]),
        (
            "m.under([{id: 1, box: [0, 0, 50, 50]}, {id: 2, box: [9, 9, 9, 9]}], {x: 9, y: 9}).map((b) => b.id)",
            [2, 1],
        ),
    ],
)
def test_boxes_stay_within_the_frame(desk: Desk, expression: str, expected: list[float]) -> None:
    assert module(desk, "geometry", expression) == expected


def test_a_run_of_small_moves_is_undone_in_one_step(desk: Desk) -> None:
    steps = "h.push(1, 'move'); h.push(2, 'move'); h.push(3); h.undo(); h.undo()"
    assert module(desk, "history", f"(() => {{ const h = new m.History(0); {steps}; return h.now; }})()") == 0


def test_an_answer_that_needs_a_reason_is_sent_with_it(desk: Desk) -> None:
    desk.needs_reason = ["unsure", "skip"]
    desk.open()
    desk.press("u")
    box = desk.page.locator("[data-sheet=reason] input")
    box.wait_for()
    assert "Unsure" in desk.page.locator("[data-reason-of]").inner_text()
    desk.press("Enter")
    assert desk.sent("verdict") == []
    desk.page.keyboard.type("glare")
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert (verdict["answer"], verdict["note"]) == ("unsure", "glare")


COLOUR = {"name": "colour", "values": ["red", "blue"], "required": True}
DAMAGED = {"name": "damaged", "values": [], "required": False}


def test_what_a_class_needs_is_asked_for_and_chosen_by_digits(desk: Desk) -> None:
    desk.attributes = {"bird": [DAMAGED, COLOUR]}
    desk.open()
    desk.press("Enter")
    sheet = desk.page.locator("[data-sheet=attributes]")
    sheet.wait_for()
    assert desk.sent("verdict") == []
    # It begins with what is needed, and Enter goes on only once that is said.
    assert "colour" in sheet.locator("[data-current] legend").inner_text()
    desk.press("Enter")
    assert desk.sent("verdict") == []
    desk.press("2")
    desk.press("ArrowUp")
    desk.press("1")
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    bird = next(label for label in verdict["labels"] if label["class"] == "bird")
    assert (verdict["answer"], bird["attributes"]) == ("confirm", {"colour": "blue", "damaged": True})


def test_what_nobody_needs_holds_up_nothing_and_can_be_said(desk: Desk) -> None:
    desk.attributes = {"bird": [DAMAGED]}
    desk.open()
    desk.page.get_by_role("button", name="Say more").click()
    desk.page.locator("[data-sheet=attributes]").wait_for()
    desk.press("1")
    desk.press("Enter")
    desk.page.locator("[data-sheet=attributes]").wait_for(state="hidden")
    assert "damaged" in desk.page.locator("[data-box-list]").inner_text()
    desk.press("Enter")
    desk.wait_item(2)
    desk.press("Enter")
    desk.wait_item(3)
    first, second = desk.sent("verdict")
    assert (first["answer"], second["answer"], "labels" in first, "labels" in second) == (
        "confirm",
        "confirm",
        True,
        False,
    )


def test_another_value_than_the_models_is_a_correction(desk: Desk) -> None:
    desk.attributes = {"bird": [COLOUR]}
    desk.predictions[1] = [{**PREDICTIONS[0], "attributes": {"colour": "red"}}]
    desk.open()
    desk.press("v")
    desk.press("2")
    desk.press("Enter")
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert (verdict["answer"], verdict["labels"][0]["attributes"]) == ("correct", {"colour": "blue"})


def test_another_class_has_attributes_of_its_own(desk: Desk) -> None:
    desk.attributes = {"bird": [DAMAGED], CLASSES[2]: [DAMAGED, COLOUR]}
    desk.open()
    desk.press("v")
    desk.press("1")
    desk.press("Enter")
    desk.press("3")
    desk.press("Enter")
    desk.page.locator("[data-sheet=attributes]").wait_for()
    desk.press("Escape")
    desk.press("Enter")
    desk.press("1")
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert {"colour": "red", "damaged": True} in [label["attributes"] for label in verdict["labels"]]


def test_a_reason_can_be_left_and_the_item_stays(desk: Desk) -> None:
    desk.needs_reason = ["unsure", "skip"]
    desk.open()
    desk.press("s")
    desk.page.locator("[data-sheet=reason] input").wait_for()
    desk.press("Escape")
    desk.page.locator("[data-sheet=reason]").wait_for(state="hidden")
    assert desk.sent("skip") == []
    desk.press("Enter")
    desk.wait_item(2)
    [verdict] = desk.sent("verdict")
    assert (verdict["answer"], "note" in verdict) == ("confirm", False)
    desk.press("s")
    desk.page.keyboard.type("later")
    desk.press("Enter")
    desk.wait_item(3)
    [skipped] = desk.sent("skip")
    assert skipped["note"] == "later"


def test_a_queue_that_asks_for_reasons_from_now_on_says_so_first(desk: Desk) -> None:
    desk.open()
    desk.wants_now = ["unsure", "escalate"]
    desk.press("Enter")
    desk.wait_item(2)
    banner = desk.page.locator("[data-banner]")
    banner.wait_for()
    assert "Unsure, Escalate" in banner.inner_text()
    desk.press("u")
    desk.page.locator("[data-sheet=reason] input").wait_for()
    assert len(desk.sent("verdict")) == 1


def wants_reason(route: Route) -> None:
    """Refuse as the server does when nothing was said where the queue wants a reason by now."""
    if json.loads(route.request.post_data or "{}").get("note"):
        route.fulfill(status=201, json={"id": "v", "undo_until_s": 8, "links": {"undo": "/items/1/undo/"}})
    else:
        body = {"code": "reason_required", "detail": "This queue wants a reason for “unsure”."}
        route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(body))


@pytest.mark.parametrize(("key", "kind"), [("u", "verdict"), ("s", "skip")])
def test_what_is_refused_for_want_of_a_reason_is_sent_again_with_one(desk: Desk, key: str, kind: str) -> None:
    desk.open()
    desk.on_verdict = desk.on_away = wants_reason
    desk.press(key)
    desk.page.get_by_role("button", name="Say why").click()
    desk.page.keyboard.type("glare")
    with desk.page.expect_response(lambda answer: f"/items/1/{kind}/" in answer.url):
        desk.press("Enter")
    first, second = desk.sent(kind)
    assert ("note" in first, second["note"]) == (False, "glare")
    desk.page.locator("[data-banner]").wait_for(state="hidden")


def test_a_crop_lies_where_it_was_cut_out_and_fills_the_stage(desk: Desk) -> None:
    desk.place = [80.0, 100.0, 160.0, 120.0]
    desk.open()
    places = """() => {
        const stage = document.querySelector("[data-stage]").getBoundingClientRect();
        const picture = document.querySelector(".stage__picture").getBoundingClientRect();
        const layer = document.querySelector("[data-boxes-layer]");
        const [x, y, width] = layer.getAttribute("viewBox").split(" ").map(Number);
        const scale = stage.width / width;
        return {left: x + (picture.left - stage.left) / scale, top: y + (picture.top - stage.top) / scale,
            width: picture.width / scale, height: picture.height / scale,
            fills: Math.max(picture.width / stage.width, picture.height / stage.height)};
    }"""
    found = desk.page.evaluate(places)
    assert [round(found[side]) for side in ("left", "top", "width", "height")] == [80, 100, 160, 120]
    assert found["fills"] > 0.99
    desk.press("+")
    assert round(desk.page.evaluate(places)["left"]) == 80


# Keys of one's own


def test_another_key_is_given_to_a_command_and_counts_at_once(desk: Desk) -> None:
    desk.open()
    desk.press("?")
    desk.page.get_by_role("button", name="Change: Skip for ten minutes (S)").focus()
    desk.press("Enter")
    desk.press("u")
    desk.page.get_by_role("region", name="Keys").get_by_text("U means: Unsure").wait_for()
    desk.press("k")
    desk.page.get_by_role("button", name="Everybody's keys again").wait_for()
    assert [body for what, _number, body in desk.posts if what == "keys"] == [{"bindings": {"skip": ["k"]}}]
    assert desk.page.locator(".verdict[data-command=skip] kbd").text_content() == "K"
    desk.press("Escape")
    desk.press("s")
    assert desk.sent("skip") == []
    desk.press("k")
    desk.wait_item(2)
    assert len(desk.sent("skip")) == 1


def test_own_keys_come_with_the_page_and_those_that_clash_are_left_out(desk: Desk) -> None:
    desk.keys = {"empty": ["q"]}
    desk.open()
    assert desk.page.locator(".verdict[data-command=empty] kbd").text_content() == "Q"
    desk.press("q")
    desk.wait_item(2)
    assert desk.sent("verdict")[0]["answer"] == "empty"
    clash = module(desk, "keymap", "m.withOwn({ skip: ['u'] }) === m.KEYMAP")
    fixed = module(desk, "keymap", "m.withOwn({ relabel: ['q'] }).find((row) => row.command === 'relabel').keys[0]")
    assert (clash, fixed) == (True, "1")
