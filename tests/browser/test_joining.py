"""An invitation from the link to the first page, in a real browser."""

import pytest
from playwright.sync_api import Browser

from deploy.demo_process import DemoProcess
from tests.browser.conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_invited_person_follows_the_link_and_is_in(chromium: Browser, demo: DemoProcess, sign_in: SignIn) -> None:
    admin = sign_in("admin")
    admin.goto(f"{demo.address}/people/invitations/")
    admin.get_by_label("Name of the person").fill("Nia")
    admin.get_by_role("button", name="Make the link").click()
    link = admin.locator("#link").text_content()
    assert link
    page = chromium.new_context().new_page()
    page.goto(f"{demo.address}{link}")
    page.get_by_label("Sign-in name").fill("nia")
    assert "#" not in page.url
    assert not page.get_by_label("Code from the link").is_visible()
    page.get_by_label("New password").fill("three-quiet-brown-foxes")
    page.get_by_label("The same again").fill("three-quiet-brown-foxes")
    page.get_by_role("button", name="Make my account").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    assert page.locator("body[data-person]").count() == 1
    page.context.clear_cookies()
    page.goto(f"{demo.address}{link}")
    page.get_by_label("Sign-in name").fill("nia2")
    page.get_by_label("New password").fill("three-quiet-brown-foxes")
    page.get_by_label("The same again").fill("three-quiet-brown-foxes")
    page.get_by_role("button", name="Make my account").click()
    page.get_by_role("heading", name="This link is over").wait_for()
    page.context.close()
