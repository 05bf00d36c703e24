"""A shared workstation in a real browser: it locks, it opens, people take turns, and nothing stays behind."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from deploy.demo_process import DemoProcess
from tests.browser.conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE_MS = 60_000
PINS = {"operator": "4862", "supervisor": "7391"}
BADGE = "04A1B2C3D4E5"
NAMES = {"operator": "Olu Operator", "supervisor": "Sam Supervisor"}


@pytest.fixture
def gate(demo: DemoProcess, sign_in: SignIn) -> Page:
    """A shared browser at which the supervisor, and after him the operator, began a shift; the operator is at it."""
    page = sign_in("supervisor")
    page.context.set_default_timeout(PATIENCE_MS)
    page.goto(f"{demo.address}/me/workstation/")
    page.get_by_label("Name, such as its place").fill("Gate 2")
    page.get_by_role("button", name="Share this computer").click()
    set_pin(page, PINS["supervisor"])
    lock(page)
    page.get_by_role("button", name="Sign in with password").click()
    page.get_by_label("Name").fill("operator")
    page.get_by_label("Password", exact=True).fill(demo.people()["operator"]["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    page.goto(f"{demo.address}/me/workstation/")
    set_pin(page, PINS["operator"])
    return page


def set_pin(page: Page, pin: str) -> None:
    page.get_by_label("PIN", exact=True).fill(pin)
    page.get_by_label("Once more").fill(pin)
    page.get_by_role("button", name="Set the PIN").click()
    expect(page.get_by_text("The PIN opens this computer")).to_be_visible()


def lock(page: Page) -> None:
    # Modules listen once the page has loaded.
    page.wait_for_load_state("load")
    page.keyboard.press("Shift+L")
    page.wait_for_url("**/lock/**")


def who(page: Page) -> str:
    return page.locator(".menu__name").inner_text()


def open_desk(page: Page, demo: DemoProcess) -> None:
    """The desk with an item whose picture is painted; waits for the demo's device to send one."""
    page.goto(f"{demo.address}/queues/")
    page.get_by_role("row", name="Yard · unsure").get_by_role("link", name="Start").press("Enter")
    page.locator("[data-desk][data-state=ready] .stage__picture").wait_for(timeout=PATIENCE_MS)


def stored(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
    return found


def test_a_pin_unlocks_and_a_wrong_one_does_not(demo: DemoProcess, gate: Page) -> None:
    gate.goto(f"{demo.address}/queues/")
    lock(gate)
    expect(gate.get_by_role("heading", name=NAMES["operator"])).to_be_visible()
    gate.keyboard.type("8250")
    gate.keyboard.press("Enter")
    expect(gate.get_by_text("4 tries are left")).to_be_visible()
    for digit in PINS["operator"]:
        gate.locator(f"[data-digit='{digit}']").click()
    gate.locator("[data-pad] [type=submit]").click()
    gate.wait_for_url("**/queues/")
    assert who(gate) == NAMES["operator"]


def test_an_untouched_browser_locks_in_all_its_tabs(demo: DemoProcess, gate: Page) -> None:
    other = gate.context.new_page()
    other.goto(f"{demo.address}/queues/")
    gate.clock.install()
    gate.goto(f"{demo.address}/queues/")
    # What the other tab noted of activity lies at the real time.
    gate.clock.fast_forward(9 * 60 * 1000)
    expect(gate.locator(".menu__name")).to_be_visible()
    gate.clock.fast_forward(70 * 1000)
    gate.wait_for_url("**/lock/**")
    other.wait_for_url("**/lock/**")
    expect(gate.get_by_label("PIN or badge")).to_be_focused()


def test_the_next_person_finds_nothing_of_the_last_one(demo: DemoProcess, gate: Page) -> None:
    open_desk(gate, demo)
    gate.keyboard.press("]")
    assert any("desk-layout" in name for name in stored(gate))
    cookie = session_cookie(gate.context)
    lock(gate)
    gate.get_by_text(NAMES["supervisor"]).click()
    gate.keyboard.type(PINS["supervisor"])
    gate.keyboard.press("Enter")
    gate.wait_for_url(lambda url: "/lock/" not in url)
    assert who(gate) == NAMES["supervisor"]
    assert session_cookie(gate.context) != cookie
    assert not any("desk-layout" in name for name in stored(gate))
    for _step in range(4):
        gate.go_back()
        gate.wait_for_load_state()
        assert all(name == NAMES["supervisor"] for name in gate.locator(".menu__name").all_inner_texts())


def session_cookie(context: BrowserContext) -> str:
    return next(cookie["value"] for cookie in context.cookies() if cookie["name"].endswith("sessionid"))


def test_a_badge_is_enough(demo: DemoProcess, gate: Page, sign_in: SignIn) -> None:
    boss = sign_in("admin")
    boss.goto(f"{demo.address}/people/workstations/")
    boss.get_by_label("Person (sign-in name)").fill("supervisor")
    boss.get_by_label("Hold it to the reader").click()
    boss.keyboard.type(BADGE)
    boss.keyboard.press("Enter")
    expect(boss.get_by_text("The badge is registered")).to_be_visible()
    gate.goto(f"{demo.address}/queues/")
    lock(gate)
    # A reader types at once, wherever the focus is, and ends with Enter.
    gate.locator("h1").click()
    gate.keyboard.type(BADGE)
    gate.keyboard.press("Enter")
    gate.wait_for_url(lambda url: "/lock/" not in url)
    assert who(gate) == NAMES["supervisor"]


def test_signing_out_waits_for_unsent_answers(demo: DemoProcess, gate: Page) -> None:
    open_desk(gate, demo)
    held: list[Route] = []
    gate.route("**/verdict/", lambda route: held.append(route))
    gate.keyboard.press("u")
    gate.wait_for_function("() => Object.keys(localStorage).some((name) => name.includes('verdict'))")
    entry = next(value for name, value in stored(gate).items() if "verdict" in name)
    assert "sealed" in entry
    assert "unsure" not in entry
    sign_out(gate)
    expect(gate.get_by_text("1 answer is still on its way")).to_be_visible()
    gate.get_by_role("button", name="Stay").click()
    expect(gate.get_by_text("1 answer is still on its way")).to_be_hidden()
    assert who(gate) == NAMES["operator"]
    sign_out(gate)
    for route in held:
        route.continue_()
    gate.wait_for_url("**/lock/**")
    assert not any("verdict" in name for name in stored(gate))


def test_answers_left_behind_are_sent_by_their_owner_only(demo: DemoProcess, gate: Page) -> None:
    open_desk(gate, demo)
    gate.route("**/verdict/", lambda route: route.abort())
    gate.keyboard.press("u")
    gate.wait_for_function("() => Object.keys(localStorage).some((name) => name.includes('verdict'))")
    lock(gate)
    expect(gate.get_by_text("1 answer waits here, encrypted")).to_be_visible()
    gate.unroute_all()
    gate.get_by_text(NAMES["supervisor"]).click()
    gate.keyboard.type(PINS["supervisor"])
    gate.keyboard.press("Enter")
    gate.wait_for_url(lambda url: "/lock/" not in url)
    gate.wait_for_timeout(1500)
    assert any("verdict" in name for name in stored(gate))
    lock(gate)
    gate.get_by_text(NAMES["operator"]).click()
    gate.keyboard.type(PINS["operator"])
    gate.keyboard.press("Enter")
    gate.wait_for_function("() => !Object.keys(localStorage).some((name) => name.includes('verdict'))")


def sign_out(page: Page) -> None:
    page.locator(".menu summary").filter(has_text=NAMES["operator"]).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
