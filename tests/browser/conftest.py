"""A real Chromium on a real site: web server, workers, relay and Redis under one supervisor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.site import chromium, running_site

#: Pages with a chart each of its kind: payoff, waterfall, lines, heat map, term curve, ribbon.
CHARTS = ("TRADE", "/performance/", "/market/", "/attribution/")
CHROMIUM_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# A machine at work on other things answers late: what is right in the end is right.
expect.set_options(timeout=30_000)


@dataclass
class Watch:
    """What a page must never do: break the content policy, fail in script, call strangers."""

    violations: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        """Collect policy violations from the console."""
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def assert_clean(self) -> None:
        """Fail with everything that was seen."""
        assert not self.violations
        assert not self.foreign
        assert not self.errors


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """URL and environment of a running site with its demo, on SQLite as ``make run`` starts it."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for these tests; gone after them, for Django's database refuses to work beside its loop."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def watch() -> Watch:
    """Collector the pages of a test report to."""
    return Watch()


@pytest.fixture
def new_page(
    browser: Browser, site: tuple[str, dict[str, str]], watch: Watch
) -> Iterator[Callable[..., Page]]:
    """Make a page in a fresh context; ``**options`` go to Playwright's new_context."""
    contexts: list[BrowserContext] = []
    url = site[0]

    def make(**options: object) -> Page:
        context = browser.new_context(base_url=url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)

        def requested(request: Request) -> None:
            if not request.url.startswith((url, "data:", "blob:")):
                watch.foreign.append(request.url)

        page.on("request", requested)
        page.on("console", watch.console)
        page.on("pageerror", lambda error: watch.errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Sign a user in through the form and return the page."""

    def make(username: str = "demo", password: str = "demo-journal", **options: object) -> Page:
        page = new_page(**options)
        page.goto("/accounts/login/")
        page.fill("input[name=login]", username)
        page.fill("input[name=password]", password)
        page.click("form.narrow button[type=submit]")
        page.wait_for_url("**/")
        return page

    return make


def open_console(page: Page, query: str = "") -> None:
    """Open the risk desk once a worker has made its first sheet."""
    for _ in range(60):
        page.goto(f"/risk/?{query}")
        if page.locator("main table a[data-row]").count():
            return
        page.wait_for_timeout(1_000)
    pytest.fail("no sheet within a minute")


@pytest.fixture
def shot_dir() -> Path | None:
    """Where to leave screenshots when ALVH_SHOTS is set."""
    folder = os.environ.get("ALVH_SHOTS")
    return Path(folder) if folder else None


@pytest.fixture
def charted(sign_in: Callable[..., Page]) -> tuple[Page, list[str]]:
    """A page of the demo and the addresses of pages with charts."""
    page = sign_in(color_scheme="light")
    page.goto("/trades/?status=open&kind=condor")
    trade = page.locator("a[data-row]").first.get_attribute("href") or ""
    return page, [trade if name == "TRADE" else name for name in CHARTS]
