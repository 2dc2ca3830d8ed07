"""The desk's morning: who is worst and why, two breaches acknowledged, a limit raised by two people."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch, open_console
from tests.site import manage

MakePage = Callable[..., Page]
ACCOUNTS = 20


class Hand:
    """Counts what a person does: clicks, entries and pages opened."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def click(self, selector: str) -> None:
        self.actions += 1
        self.page.click(selector)

    def fill(self, selector: str, text: str) -> None:
        self.actions += 1
        self.page.fill(selector, text)

    def choose(self, selector: str, value: str) -> None:
        self.actions += 1
        self.page.select_option(selector, value)


def test_an_admin_reviews_the_firm_in_under_forty_actions(
    sign_in: MakePage, watch: Watch, site: tuple[str, dict[str, str]]
) -> None:
    manage("demo", "load", "--firm", str(ACCOUNTS), environment=site[1])
    page = sign_in("risk", "demo-risk")
    open_console(page, "q=north")  # the sheet has the firm's accounts
    hand = Hand(page)
    page.goto("/risk/")
    worst = page.locator("main table a[data-row]").first
    expect(worst).to_have_text("North 020")  # made with too much margin
    hand.click("main table a[data-row] >> nth=0")
    expect(page.locator(".banner").first).to_contain_text("read-only")
    expect(page.locator("main")).to_contain_text(re.compile("Worst expiry"))
    for _ in range(2):
        page.goto("/risk/cases/")
        hand.click("main table a[data-row] >> nth=0")
        hand.fill("input[name=reason]", "reduced before Friday's close")
        hand.fill(
            "input[name=until]", page.evaluate("new Date(Date.now() + 864e5).toISOString().slice(0, 10)")
        )
        hand.click("button:text-is('Acknowledge')")
        expect(page.locator("main")).to_contain_text("acknowledged by risk")
    for hard in ("30", "35"):
        page.goto("/risk/limits/")
        hand.choose("select[name=measure]", "fall")
        hand.fill("input[name=hard]", hard)
        hand.fill("input[name=reason]", "as the committee agreed")
        hand.click("button:text-is('Set limit')")
    expect(page.locator("main")).to_contain_text("Waiting for a second person")
    second = sign_in("second", "demo-second")
    second.goto("/risk/limits/")
    Hand(second).click("button:text-is('Approve')")
    expect(second.locator("main")).not_to_contain_text("Waiting for a second person")
    page.goto("/risk/firm/")
    hand.click("main table.firm-grid a >> nth=0")
    expect(page.locator("h1")).to_contain_text("SPX −20%")
    assert hand.actions + 1 < 40
    watch.assert_clean()
