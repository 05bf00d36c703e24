"""Passkeys with the browser's own virtual authenticator: made, used to sign in, as a second step, to confirm."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from deploy.demo_process import DemoProcess

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WHO = "operator"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page whose browser has a key inside that says yes by itself; CSP violations and errors fail the test."""
    problems: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    made = context.new_page()
    made.on("pageerror", lambda error: problems.append(str(error)))
    made.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
    tools = context.new_cdp_session(made)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield made
    context.close()
    assert not problems


def by_password(page: Page, demo: DemoProcess) -> None:
    page.goto(f"{demo.address}/accounts/login/")
    page.get_by_label("Name").fill(WHO)
    page.get_by_label("Password").fill(demo.people()[WHO]["password"])
    page.get_by_role("button", name="Sign in", exact=False).first.click()


def leave(page: Page, demo: DemoProcess) -> None:
    page.context.clear_cookies()
    page.goto(f"{demo.address}/accounts/login/")


def test_a_passkey_is_made_and_opens_the_door_in_each_way(page: Page, demo: DemoProcess) -> None:
    by_password(page, demo)
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    page.goto(f"{demo.address}/me/security/passkeys/")
    page.get_by_label("What you call it").fill("test key")
    page.get_by_role("button", name="Make the passkey").click()
    page.wait_for_url("**/me/security/codes/")
    page.goto(f"{demo.address}/me/security/")
    assert page.get_by_text("test key").is_visible()

    leave(page, demo)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    assert page.locator("body[data-person]").count() == 1

    leave(page, demo)
    by_password(page, demo)
    page.wait_for_url("**/accounts/code/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/accounts/code" not in url)
    assert page.locator("body[data-person]").count() == 1

    page.goto(f"{demo.address}/accounts/reauthenticate/?next=/me/security/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/me/security/")

    page.get_by_role("button", name="Remove test key").click()
    page.get_by_text("It was removed.").wait_for()
    leave(page, demo)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("This did not work.").wait_for()
    assert page.locator("body[data-person]").count() == 0
