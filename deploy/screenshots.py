"""`make screenshots`: the pictures of docs/screenshots, taken from a demo of their own.

A fresh demo is started in a temporary folder. Some items are answered by keyboard and a release is built of them, so
that every page has something to show; then each scene is photographed on both screens in both schemes.
"""

import io
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from deploy.demo_process import ROOT, DemoProcess

FOLDER = ROOT / "docs" / "screenshots"
SCREENS = {"desktop": (1440, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
OPERATOR, SUPERVISOR, ENGINEER, AUDITOR = "operator", "supervisor", "mlengineer", "auditor"
ADMINISTRATOR = "admin"
QUEUE = "Yard · unsure"
# The keys of each answer given before the pictures are taken: a box removed, confirmed, unsure, bad picture.
ANSWERS = (["Delete", "Enter"], ["Enter"], ["Delete", "Enter"], ["Enter"], ["u"], ["b"], ["Enter"])
# As many as are answered, and some that stay for the pictures of the desk and the queues.
EVENTS = len(ANSWERS) + 8
PATIENCE_S = 180
# Short ones, so that a claim which was not given back is not waited for long.
LEASES = {"SECONDLOOK_LEASE_SECONDS": "45", "SECONDLOOK_AHEAD_SECONDS": "10", "SECONDLOOK_HEARTBEAT_SECONDS": "5"}
# Larger files are kept with a palette; coverage first, so that the rare colours of small marks stay what they are.
LARGE_BYTES = 150_000
PALETTE: dict[str, Any] = {
    "colors": 256,
    "method": Image.Quantize.MAXCOVERAGE,
    "kmeans": 4,
    "dither": Image.Dither.NONE,
}
# Chromium's sandbox does not start for root, which is what a container runs as.
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One page as one person sees it; `arrange` goes there and returns when it is ready to be photographed."""

    name: str
    login: str | None
    arrange: Callable[["Studio", Page], None]


class Studio:
    """The demo, a browser, and the sessions of the demo's people."""

    def __init__(self, demo: DemoProcess, browser: Browser) -> None:
        self.demo = demo
        self.browser = browser
        self.sessions: dict[str, StorageState] = {}

    def wait_for(self, query: str, least: int, what: str) -> None:
        wait_for(self.demo, query, least, what)

    def first(self, query: str) -> str:
        return str(rows(self.demo, query)[0][0])

    def session(self, login: str) -> StorageState:
        """The cookies of a person, who signs in once."""
        if login not in self.sessions:
            page = self.browser.new_page()
            page.goto(self.demo.address)
            page.get_by_label("Name").fill(login)
            page.get_by_label("Password").fill(self.demo.people()[login]["password"])
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: "/accounts/login" not in url)
            self.sessions[login] = page.context.storage_state()
            page.context.close()
        return self.sessions[login]

    @contextmanager
    def page(self, login: str | None, screen: str, scheme: str) -> Iterator[Page]:
        """A page of `login` on one of the screens in one of the schemes. Raises RuntimeError when the server failed."""
        context = self.context(login, screen, scheme)
        faults: list[str] = []
        context.on("response", lambda answer: faults.append(answer.url) if answer.status >= 500 else None)
        try:
            yield context.new_page()
            if faults:
                raise RuntimeError(f"a picture of an error would be taken: {', '.join(faults)}")
        finally:
            # Pages leave first: the desk gives its claims back when it is left, in a request that outlives it.
            for page in context.pages:
                page.goto(f"{self.demo.address}/readyz")
            context.close()

    def context(self, login: str | None, screen: str, scheme: str) -> BrowserContext:
        width, height = SCREENS[screen]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            has_touch=screen == "phone",
            storage_state=self.session(login) if login else None,
        )
        # The desk is dark unless its person wants it light (key I); this is that person's wish.
        context.add_init_script(f"try {{ localStorage.setItem('second-look.desk-scheme', '{scheme}') }} catch {{}}")
        return context


def rows(demo: DemoProcess, query: str) -> list[tuple[Any, ...]]:
    """What the demo's database says, read beside the server."""
    with sqlite3.connect(f"file:{demo.folder / 'secondlook.sqlite3'}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def wait_for(demo: DemoProcess, query: str, least: int, what: str) -> None:
    """Wait until `query` counts `least`. Raises RuntimeError when that takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if rows(demo, query)[0][0] >= least:
            return
        time.sleep(0.5)
    raise RuntimeError(f"{what} did not come within {PATIENCE_S} s")


def gather_events(folder: Path) -> None:
    """Let the device watch the yard until there is enough to show, each event with its picture."""
    query = "SELECT COUNT(*) FROM review_rendition WHERE kind = 'working'"
    with DemoProcess(folder) as demo:
        wait_for(demo, query, EVENTS, "enough events")


def sign_in(studio: Studio, page: Page) -> None:
    page.goto(studio.demo.address)


def queues(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.demo.address}/queues/")


def desk(studio: Studio, page: Page) -> None:
    """The desk with an item whose picture is painted; the same one each time, so the last claims are waited out."""
    live = "SELECT COUNT(*) = 0 FROM review_item WHERE claim_expires_at > strftime('%Y-%m-%d %H:%M:%f', 'now')"
    studio.wait_for(live, 1, "the end of all claims")
    queue = studio.first(f"SELECT id FROM review_queue WHERE name = '{QUEUE}'")  # noqa: S608
    page.goto(f"{studio.demo.address}/queues/{as_uuid(queue)}/desk/")
    painted(page, None)


def desk_edit(studio: Studio, page: Page) -> None:
    """The desk after a box was moved."""
    desk(studio, page)
    for key in ("Shift+ArrowRight", "ArrowDown"):
        page.keyboard.press(key)


def policy(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.demo.address}/policy/")


def release(studio: Studio, page: Page) -> None:
    made = studio.first("SELECT id FROM review_release WHERE state = 'ready' ORDER BY number DESC")
    page.goto(f"{studio.demo.address}/releases/{as_uuid(made)}/")


def corrected(studio: Studio) -> str:
    """The event that was corrected first."""
    found = studio.first(
        "SELECT event_id FROM review_item JOIN review_verdict ON review_verdict.id = review_item.verdict_id "
        "WHERE review_verdict.answer = 'correct' ORDER BY review_verdict.created_at"
    )
    return as_uuid(found)


def event(studio: Studio, page: Page) -> None:
    """The event that was corrected, with its story."""
    page.goto(f"{studio.demo.address}/events/{corrected(studio)}/")
    page.locator("[data-boxes-layer] > *").first.wait_for(state="attached")


def audit(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.demo.address}/audit/")


def story(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.demo.address}/audit/story/{corrected(studio)}/")


def proof(studio: Studio, page: Page) -> None:
    """One entry that is sealed, with its facts and its place in the log."""
    sealed = "SELECT COUNT(*) FROM accounts_unsealed"
    studio.wait_for(f"SELECT ({sealed}) = 0", 1, "the seal")
    given = studio.first("SELECT id FROM accounts_auditentry WHERE verb = 'verdict.given' ORDER BY id")
    page.goto(f"{studio.demo.address}/audit/{given}/")


def roles(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.demo.address}/people/roles/")


SCENES = (
    Scene("sign-in", None, sign_in),
    Scene("queues", OPERATOR, queues),
    Scene("desk", OPERATOR, desk),
    Scene("desk-edit", OPERATOR, desk_edit),
    Scene("policy", SUPERVISOR, policy),
    Scene("release", ENGINEER, release),
    Scene("event", SUPERVISOR, event),
    Scene("audit", AUDITOR, audit),
    Scene("story", AUDITOR, story),
    Scene("proof", AUDITOR, proof),
    Scene("roles", ADMINISTRATOR, roles),
)


def as_uuid(stored: str) -> str:
    """SQLite keeps ids as 32 hex digits; addresses have them with dashes."""
    plain = stored.replace("-", "")
    return "-".join([plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]])


def painted(page: Page, last: str | None) -> str:
    """Wait until another item than `last` is painted on the desk; its id."""
    page.wait_for_function(
        """last => {
            const desk = document.querySelector("[data-desk][data-state=ready]")
            return desk && desk.dataset.item !== last
        }""",
        arg=last,
        timeout=PATIENCE_S * 1000,
    )
    return page.locator("[data-desk]").get_attribute("data-item") or ""


def answer_some(studio: Studio) -> None:
    """Give the answers by keyboard, and wait until they are final."""
    with studio.page(OPERATOR, "desktop", "dark") as page:
        desk(studio, page)
        last = None
        for keys in ANSWERS:
            last = painted(page, last)
            for key in keys:
                page.keyboard.press(key)
        studio.wait_for("SELECT COUNT(*) FROM review_verdict", len(ANSWERS), "the answers")
    studio.wait_for("SELECT COUNT(*) FROM review_sequencedoutcome", len(ANSWERS), "the end of their undo windows")


def make_release(studio: Studio) -> None:
    """Freeze and build a release of the answers, as the ML engineer does."""
    with studio.page(ENGINEER, "desktop", "light") as page:
        page.goto(f"{studio.demo.address}/releases/")
        page.get_by_label(QUEUE).check()
        page.get_by_label("Name").fill("First week")
        page.get_by_role("button", name="Freeze and build").click()
        studio.wait_for("SELECT COUNT(*) FROM review_release WHERE state = 'ready'", 1, "the release")


def photograph(studio: Studio, scene: Scene, screen: str, scheme: str) -> Path:
    """Take one picture and keep it; the file."""
    with studio.page(scene.login, screen, scheme) as page:
        scene.arrange(studio, page)
        page.wait_for_load_state("networkidle")
        data = page.screenshot(animations="disabled")
    path = FOLDER / f"{scene.name}-{screen}-{scheme}.png"
    path.write_bytes(small(data))
    return path


def small(data: bytes) -> bytes:
    """The PNG as it is, or with a palette when it is large."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    if len(data) > LARGE_BYTES:
        picture = picture.quantize(**PALETTE)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return min(data, out.getvalue(), key=len)


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("No system Chromium: install Debian's package chromium, or name one in CHROMIUM.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="secondlook-screenshots-", ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
    ):
        gather_events(Path(folder))
        take_all(Path(folder), playwright.chromium.launch(executable_path=chromium, args=FLAGS))


def take_all(folder: Path, browser: Browser) -> None:
    """Every scene on both screens in both schemes. The device rests, so that nothing moves meanwhile."""
    with DemoProcess(folder, "demo", "--no-agent", **LEASES) as demo:
        studio = Studio(demo, browser)
        answer_some(studio)
        make_release(studio)
        for scene in SCENES:
            for screen in SCREENS:
                for scheme in SCHEMES:
                    path = photograph(studio, scene, screen, scheme)
                    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
