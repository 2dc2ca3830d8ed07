"""A broker's file by keyboard: read, an error fixed in place, recorded, a roll confirmed, undone."""

# ruff: noqa: E501 - rows of files are data
from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch
from tests.browser.test_accessibility import SMALL, _violations
from tests.importers.cases import HEADER, tasty

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
DAY, NOON = "2025-10-03", "12:00:00"
ROWS = [
    tasty(DAY, "09:45:00", "SELL_TO_OPEN", "P", 6600, "3.00", "51"),
    tasty(DAY, "09:45:00", "BUY_TO_OPEN", "P", 6590, "2.00", "51"),
    tasty(DAY, NOON, "BUY_TO_CLOSE", "P", 6600, "5.00", "52"),
    tasty(DAY, NOON, "SELL_TO_CLOSE", "P", 6590, "3.00", "52"),
    tasty(DAY, NOON, "SELL_TO_OPEN", "P", 6580, "4.00", "52", expiry="251006"),
    tasty(DAY, NOON, "BUY_TO_OPEN", "P", 6570, "2.50", "52", expiry="251006"),
    tasty(DAY, NOON, "SELL_TO_OPEN", "P", 6480, "4.00", "53", expiry="251004"),
    f"{DAY}T09:00:00-0400,Money Movement,Deposit,,,,ACH DEPOSIT,500.00,0,,--,0.00,,,,,,,,500.00,USD",
    f"{DAY}T09:00:00-0400,Money Movement,Crypto Reward,,,,REWARD,1.00,0,,--,0.00,,,,,,,,1.00,USD",
    f"{DAY}T09:00:00-0400,Trade,Buy to Open,BUY_TO_OPEN,SOFI,Equity,x,-10.00,1,-10.00,0.00,0.00,,,,,,,9,-10.00,USD",
]


def _press(page: Page, name: str) -> None:
    """Reach a button or link with the keyboard alone and press it."""
    target = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first
    target.focus()
    expect(target).to_be_focused()
    page.keyboard.press("Enter")


def _looks_right(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal of the two
        page.wait_for_timeout(400)  # buttons change their colours slowly
        assert _violations(page) == []
    assert page.evaluate(SMALL) == []
    width = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    # charts follow their box a moment later
    page.wait_for_function("document.documentElement.scrollWidth <= 320", timeout=3000)
    if width:
        page.set_viewport_size(width)


def test_a_file_is_read_fixed_recorded_linked_and_undone(
    sign_in: MakePage, watch: Watch, tmp_path: Path
) -> None:
    file = tmp_path / "history.csv"
    file.write_text("\n".join([HEADER, *ROWS]) + "\n")
    page = sign_in()
    page.goto("/imports/")
    _looks_right(page)
    drop = """async ([name, text]) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name, {type: 'text/csv'}));
        document.querySelector('[data-drop-zone]').dispatchEvent(
            new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(drop, ["history.csv", file.read_text()])
    expect(page.locator("[data-drop-name]")).to_contain_text("history.csv")
    _press(page, "Read the file")
    page.wait_for_url(re.compile("/imports/[0-9a-f-]{36}/"))
    here = page.url
    expect(page.locator("main")).to_contain_text("Saturday 2025-10-04 is not a trading day")
    _looks_right(page)
    _press(page, "Fix line 8")
    page.wait_for_url("**/row/**")
    _looks_right(page)
    page.get_by_label("Symbol").fill(".SPXW251006P6480")
    page.get_by_label("Quantity").fill("-1")
    page.get_by_label("Price, points").fill("4")
    page.get_by_label("Costs, dollars").fill("1.77")
    page.get_by_label("Fill time (New York)").fill("2025-10-03T12:00")
    page.get_by_label("Order number").fill("53")
    _press(page, "Keep")
    page.wait_for_url(here)
    _press(page, "Fix line 10")
    page.wait_for_url("**/row/**")
    assert not page.get_by_label("Symbol").is_visible()
    _looks_right(page)
    page.get_by_label("In the cash ledger").select_option("other_credit")
    assert page.get_by_label("Amount, dollars").input_value() == "1.00"
    page.get_by_label("The same for every").check()
    _press(page, "Keep")
    page.wait_for_url(here)
    expect(page.locator("main")).to_contain_text("+$501.00")
    _press(page, "Record 9 rows")
    expect(page.locator("ol.steps [aria-current]")).to_have_text("Recorded")
    expect(page.locator("main")).to_contain_text("Full roll")
    expect(page.locator("main")).to_contain_text("Not imported: shares and other products")
    _press(page, "Confirm")
    page.wait_for_load_state("networkidle")
    page.goto("/trades/?q=6570")
    mine = page.locator("a[data-row]").first.get_attribute("href") or ""
    page.goto(mine)
    _press(page, "Chain")
    expect(page.locator("main")).to_contain_text("+$250.00")
    expect(page.locator("[data-chart]").first).not_to_be_empty()
    _looks_right(page)
    page.goto(here)
    _press(page, "Undo this import")
    expect(page.locator("ol.steps [aria-current]")).to_have_text("Undone")
    page.goto("/trades/?q=6570")
    expect(page.locator("[data-list-search]")).to_be_visible()
    assert page.locator(f'a[data-row][href="{mine}"]').count() == 0
    watch.assert_clean()
