"""Accessibility of every main page: axe-core's WCAG 2.2 AA rules in both themes, narrow screens, targets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Watch, open_console

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "/", "/trades/", "/trades/?status=open&sort=-pnl&tag=x", "TRADE", "/calendar/", "DAY", "/tags/",
    "/playbooks/", "/playbooks/new/", "/trades/new/", "/trades/new/hedge/", "CLOSE", "MANY",
    "/hedge/", "/what-if/",
    "/rules/", "/market/", "/data/", "/reports/", "/tax/", "/books/", "/books/new/",
    "/your-data/", "/alerts/", "/attribution/", "/attribution/capital/", "/discipline/", "/imports/",
    "/statistics/", "/performance/", "/hedge-value/", "/backtest/", "ROLL", "CHAIN", "RECOMMENDATION",
    "RULES", "DRAFT", "BOOK", "MEMBERS", "/cash/imports/", "/data/quality/", "/accounts/2fa/",
    "/accounts/email/", "/accounts/password/change/",
)  # fmt: skip
#: Pages whose address a page names: where it stands and the link's selector.
LINKED = {
    "RECOMMENDATION": ("/hedge/", ".rec-card h3 a"),
    "RULES": ("/rules/", "main table.data td a"),
    "DRAFT": ("/rules/", "main a[href*='/new/']"),
    "BOOK": ("/books/", "main a[href^='/books/']:not([href$='new/']):not([href$='members/'])"),
    "MEMBERS": ("/books/", "a[href$='/members/']"),
}
RISK_PAGES = (
    "/risk/", "ACCOUNT", "/risk/firm/", "/risk/firm/0/2/", "/risk/cases/", "/risk/limits/", "/risk/groups/",
    "/risk/operations/", "/risk/audit/",
)  # fmt: skip
#: Things people press; a link inside a sentence may be smaller (WCAG 2.5.8, inline exception).
SMALL = """() => [...document.querySelectorAll(
    'button, select, input:not([type=hidden]), summary, nav a, td a, .btn')]
  .filter(e => e.checkVisibility() && !e.closest('dialog:not([open])'))
  .map(e => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, r]) => r.width && r.right > 0 && r.bottom > 0 && (r.width < 23.9 || r.height < 23.9))
  .map(([html, r]) => `${Math.round(r.width)}x${Math.round(r.height)} ${html}`)"""


def _addresses(page: Page) -> list[str]:
    """The pages with the newest open trade and its day filled in."""
    page.goto("/trades/?status=open")
    trade = page.locator("a[data-row]").first.get_attribute("href") or ""
    page.goto("/calendar/")
    day = page.locator("table.month td.p1 a, table.month td.n1 a, table.month td.n3 a, table.month td.p3 a")
    known = {
        "TRADE": trade,
        "CLOSE": f"{trade}close/",
        "ROLL": f"{trade}roll/",
        "CHAIN": f"{trade}chain/",
        "MANY": f"/trades/close/?id={trade.split('/')[2]}",
        "DAY": day.first.get_attribute("href") or "",
    }
    for name, (listing, selector) in LINKED.items():
        known[name] = _first_link(page, listing, selector)
    return [known.get(name, name) for name in PAGES]


def _first_link(page: Page, listing: str, selector: str) -> str:
    """Where the first such link leads; workers may still be computing what it leads to."""
    for _ in range(60):
        page.goto(listing)
        link = page.locator(selector)
        if link.count():
            return link.first.get_attribute("href") or ""
        page.wait_for_timeout(1000)
    raise AssertionError(f"{listing} has no link {selector}")


def _violations(page: Page) -> list[str]:
    options: dict[str, Any] = {"runOnly": RULES, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{v['id']}: {json.dumps([n['target'] for n in v['nodes']][:4])}" for v in found]


def _open(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 200, address
    page.wait_for_function("!document.querySelector('[data-chart]:empty')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_main_page(sign_in: MakePage, watch: Watch, scheme: str) -> None:
    page = sign_in(color_scheme=scheme)
    found = {}
    for address in _addresses(page):
        _open(page, address)
        if violations := _violations(page):
            found[address] = violations
    assert not found, json.dumps(found, indent=1)
    watch.assert_clean()


@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nothing/"]
)
def test_axe_finds_nothing_before_signing_in(new_page: MakePage, watch: Watch, address: str) -> None:
    for scheme in ("light", "dark"):
        page = new_page(color_scheme=scheme)
        page.goto(address)
        assert not _violations(page)
    watch.assert_clean()


def test_axe_finds_nothing_in_the_risk_console(sign_in: MakePage, watch: Watch) -> None:
    for width in (1280, 320):
        page = sign_in("risk", "demo-risk", viewport={"width": width, "height": 800})
        open_console(page)
        account = page.locator("main table a[data-row]").first.get_attribute("href") or ""
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal of the two
            for address in RISK_PAGES:
                _open(page, account if address == "ACCOUNT" else address)
                assert not _violations(page), address
                assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    watch.assert_clean()


def test_nothing_scrolls_sideways_and_nothing_is_too_small_at_320_pixels(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in(viewport={"width": 320, "height": 720})
    found: dict[str, Any] = {}
    for address in _addresses(page):
        _open(page, address)
        wide = page.evaluate("document.documentElement.scrollWidth")
        problems = [f"{wide} pixels wide"] if wide > 320 else []
        problems += [*page.evaluate(SMALL), *_violations(page)]
        if problems:
            found[address] = problems[:6]
    assert not found, json.dumps(found, indent=1)
    watch.assert_clean()


def test_dialogs_are_accessible(sign_in: MakePage, watch: Watch) -> None:
    for scheme in ("light", "dark"):
        page = sign_in(color_scheme=scheme)
        page.keyboard.press("?")
        page.wait_for_selector("#help-dialog[open]")
        assert not _violations(page)
        page.keyboard.press("Escape")
        page.keyboard.press("Control+k")
        page.fill("#finder-q", "condor")
        page.wait_for_selector("#finder-results .hit")
        assert not _violations(page)
    watch.assert_clean()
