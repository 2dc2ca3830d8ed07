"""A year of demo trades filtered, tagged in bulk, undone and exported without touching a mouse."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hedging.selectors.calendar import NEW_YORK
from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]


def _rows(page: Page) -> int:
    return page.locator("a[data-row]").count()


def _open_first(page: Page) -> None:
    """Go to the first trade of the list and wait until its scripts have run."""
    page.locator("a[data-row]").first.click()
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/"))


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
    page.wait_for_load_state()  # the keys are there
    # A stale second undo, from the browser's history, changes nothing and says so.
    keys.press("j")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/"))
    expect(page.locator("#review")).to_be_visible()
    watch.assert_clean()


def test_open_trades_are_closed_together_and_undone_by_keyboard_alone(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    keys = page.keyboard
    page.goto("/trades/?status=open&kind=condor&sort=opened")
    waiting = _rows(page)
    for _ in range(2):
        keys.press("j")
        keys.press("x")
    keys.press("b")
    keys.type("Close")  # a select takes the first letters
    keys.press("Tab")
    expect(page.locator("[data-bulk-go]")).to_be_focused()
    keys.press("Enter")
    page.wait_for_url("**/trades/close/**")
    expect(page.locator(".close-row")).to_have_count(2)
    expect(page.locator(".close-row .badge-quality").first).to_contain_text("simulated")
    # Without prices nothing is closed, and both rows say so.
    page.locator("button:has-text('Record all closing fills')").focus()
    keys.press("Enter")
    expect(page.locator(".field-error")).to_have_count(2)
    page.locator("a:has-text('Fill in the marks')").focus()
    keys.press("Enter")
    page.wait_for_url("**prefill=marks**")
    page.locator("button:has-text('Record all closing fills')").focus()
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/trades/\?"))
    expect(page.locator(".undo-line")).to_contain_text("2 trades closed")
    expect(page.locator("a[data-row]")).to_have_count(waiting - 2)
    keys.press("u")
    expect(page.locator("a[data-row]")).to_have_count(waiting)
    watch.assert_clean()


def test_a_timeline_event_redraws_the_payoff_of_its_day(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/?status=closed&kind=condor&sort=opened")  # the demo's, not another test's
    _open_first(page)
    drawn = page.locator("#payoff-data")
    opened = drawn.text_content()
    page.locator("#event-2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#payoff h2")).to_contain_text("Closed")
    closed = drawn.text_content()
    assert opened != closed
    expect(page.locator("#payoff .chart svg, #payoff .chart canvas")).to_be_visible()
    # The address is the event's: a reload shows the same.
    page.wait_for_url(re.compile("at="))
    page.reload()
    expect(page.locator("#payoff h2")).to_contain_text("Closed")
    assert drawn.text_content() == closed
    # An open trade answers what it would be worth on another day at another volatility.
    page.goto("/trades/?status=open&kind=condor")
    _open_first(page)
    page.fill("#id_date", str(datetime.now(NEW_YORK).date() + timedelta(days=7)))
    page.fill("#id_iv", "4")
    page.press("#id_iv", "Enter")
    expect(page.locator("#payoff .tiles .tile")).to_have_count(3)
    assert "volatility +4" in (drawn.text_content() or "")
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
    # Undo is offered for longer than ten seconds and brings it back.
    page.wait_for_timeout(10_500)
    page.click(".toast-item button:has-text('Undo')")
    expect(page.locator(".saved-views")).to_contain_text("Open hedges")
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
    _open_first(page)
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


def test_a_printed_trade_has_its_figures_and_no_controls(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/?status=open&kind=condor")
    _open_first(page)
    expect(page.locator("[data-chart=payoff] svg")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("main h1")).to_be_visible()
    expect(page.locator("#review")).to_contain_text("How well it was done")
    expect(page.locator("#review .print-only")).to_be_visible()
    seen = page.evaluate(
        "[...document.querySelectorAll('button, input, select, textarea, summary, .tabs')]"
        ".filter((e) => e.checkVisibility() && !e.closest('details[open]')).map((e) => e.outerHTML)"
    )
    assert seen == []
    watch.assert_clean()
