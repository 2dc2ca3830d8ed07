"""A year of demo trades filtered, tagged in bulk, undone and exported without touching a mouse."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]


def _rows(page: Page) -> int:
    return page.locator("a[data-row]").count()


def test_filter_tag_undo_and_export_by_keyboard_alone(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    keys = page.keyboard
    keys.press("g")
    keys.press("t")
    page.wait_for_url("**/trades/")
    everything = _rows(page)
    # Search: the address reproduces the view.
    keys.press("/")
    expect(page.locator("#f-q")).to_be_focused()
    keys.type("condor")
    keys.press("Enter")
    page.wait_for_url(re.compile("q=condor"))
    condors = _rows(page)
    assert 3 < condors < everything
    # Choose two rows, then all; the bar counts along.
    keys.press("j")
    expect(page.locator("a[data-row]").first).to_be_focused()
    keys.press("x")
    keys.press("j")
    keys.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2 trades chosen")
    keys.press("a")
    expect(page.locator("[data-bulk-count]")).to_have_text(f"{condors} trades chosen")
    # Tag them; the count of the message is the count of the bar.
    keys.press("b")
    expect(page.locator("#bulk-action")).to_be_focused()
    keys.press("Tab")
    keys.type("keyboard")
    keys.press("Enter")
    expect(page.locator(".undo-line")).to_contain_text(f"put on {condors} trades")
    expect(page.locator(".row-tags", has_text="keyboard")).to_have_count(condors)
    # The offer to undo outlasts ten seconds.
    page.wait_for_timeout(10_500)
    expect(page.locator("[data-list-undo]")).to_be_visible()
    # Export what is shown.
    with page.expect_download() as waiting:
        keys.press("e")
    exported = Path(str(waiting.value.path())).read_text()
    rows = list(csv.DictReader(exported.splitlines()))
    assert len(rows) == condors
    assert {row["tags"] for row in rows} == {"keyboard"}
    # Undo, and see that nothing is left.
    keys.press("u")
    expect(page.locator(".row-tags", has_text="keyboard")).to_have_count(0)
    expect(page.locator(".toasts")).to_contain_text("Undone")
    # A stale second undo, from the browser's history, changes nothing and says so.
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/"))
    expect(page.locator("#review")).to_be_visible()
    watch.assert_clean()


def test_a_saved_view_survives_signing_out(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/?status=open&kind=hedge_layer")
    shown = _rows(page)
    page.fill("#view-name", "Open hedges")
    page.keyboard.press("Enter")
    expect(page.locator(".saved-views")).to_contain_text("Open hedges")
    page.click("details.menu > summary")
    page.click("button:has-text('Sign out')")
    page = sign_in()
    page.goto("/trades/")
    page.click(".saved-views a:has-text('Open hedges')")
    expect(page.locator("a[data-row]")).to_have_count(shown)
    page.click("button[aria-label='Remove the view Open hedges']")
    expect(page.locator(".saved-views")).to_have_count(0)
    watch.assert_clean()


def test_the_finder_finds_a_trade_and_shortcuts_can_be_switched_off(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.keyboard.press("Control+k")
    expect(page.locator("#finder-q")).to_be_focused()
    page.keyboard.type("spx iron condor")
    page.keyboard.press("Enter")  # at once: the results of what was typed are waited for
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/"))
    page.goto("/trades/")
    page.keyboard.press("?")
    expect(page.locator("#help-dialog")).to_contain_text("Choose the row")
    page.click("[data-action=shortcuts]")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("a[data-row]:focus")).to_have_count(0)
    watch.assert_clean()


def test_a_note_is_previewed_saved_removed_and_brought_back(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/?status=open")
    page.locator("a[data-row]").first.click()
    page.fill("#note-text", "A **bold** thought <script>alert(1)</script>")
    expect(page.locator("#note-preview strong")).to_have_text("bold")
    page.click("button:has-text('Save the note')")
    note = page.locator("article.note")
    expect(note).to_contain_text("thought <script>")
    page.click("article.note button:has-text('Remove')")
    expect(note).to_have_count(0)
    page.click(".note.removed button:has-text('Undo')")
    expect(note).to_have_count(1)
    page.click("article.note button:has-text('Remove')")
    watch.assert_clean()
