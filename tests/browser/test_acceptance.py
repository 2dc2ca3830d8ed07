"""What a page must be for everybody: zoomed, printed, hidden, stale, in its theme before the first paint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLateError

from tests.browser.conftest import Watch
from tests.browser.test_accessibility import _addresses, _open

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]

TEXTS = """() => [...document.querySelectorAll('main :is(h1, h2, dt, th, td, label, button, a.btn)')]
  .filter((e) => e.checkVisibility())
  .map((e) => e.textContent.trim().replace(/\\s+/g, ' ')).filter(Boolean)"""


def test_the_chosen_theme_is_there_before_the_first_paint(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in(color_scheme="light")
    page.click("[data-action=theme]")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.add_init_script(
        """new MutationObserver((_, seen) => {
            if (!document.body) return;
            window.themeAtBody = document.documentElement.dataset.bsTheme;
            seen.disconnect();
        }).observe(document, {childList: true, subtree: true})"""
    )
    page.goto("/trades/")
    assert page.evaluate("window.themeAtBody") == "dark"
    watch.assert_clean()


def test_no_float_tails_signs_in_grey_print_and_inputs_beside_every_slider(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    found: dict[str, Any] = {}
    for address in _addresses(page):
        _open(page, address)
        text = page.inner_text("main")
        tails = re.findall(r"\d\.\d{7,}|\d[eE][+-]\d|\bNaN\b|\bundefined\b|\bInfinity\b", text)
        page.emulate_media(media="print")
        unsigned = page.evaluate(
            """() => [...document.querySelectorAll('main :is(.money.gain, .money.loss)')]
                .filter((e) => e.checkVisibility())
                .filter((e) => !/^[+\\u2212]\\$/.test(e.textContent.trim())
                  || (e.classList.contains('loss') !== e.textContent.trim().startsWith('\\u2212')))
                .map((e) => e.textContent)"""
        )
        page.emulate_media(media="screen")
        dragged = page.evaluate(
            """() => [...document.querySelectorAll('input[type=range], [draggable=true], [data-drop-zone]')]
                .filter((e) => !document.querySelector(`input[type=number]${e.dataset.mirrors ?? '.none'}`)
                  && !e.querySelector('input[type=file]')).map((e) => e.outerHTML.slice(0, 80))"""
        )
        if tails or unsigned or dragged:
            found[address] = [tails[:5], unsigned[:5], dragged]
    assert not found, json.dumps(found, indent=1)
    watch.assert_clean()


def test_gain_and_loss_differ_for_eyes_without_green(sign_in: MakePage) -> None:
    """Deuteranopia after Viénot, Brettel and Mollon (1999), in linear RGB: the two stay far apart."""
    page = sign_in()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal of the two
        colours = page.evaluate(
            """() => ['--gain', '--loss'].map((name) => getComputedStyle(document.documentElement)
                .getPropertyValue(name).trim())"""
        )
        gain, loss = (_seen_without_green(colour) for colour in colours)
        assert sum((a - b) ** 2 for a, b in zip(gain, loss, strict=True)) ** 0.5 > 0.25, (scheme, colours)


def _seen_without_green(colour: str) -> tuple[float, float, float]:
    """Linear RGB, 0 to 1, as a deuteranope sees ``#rrggbb``."""
    r, g, b = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (r, g, b))
    return 0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g, -0.02234 * r + 0.02234 * g + b


def test_nothing_is_lost_at_twice_the_size_and_motion_stops(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    for address in ("/", "/trades/", "/trades/new/", "/hedge/", "/performance/", "/reports/"):
        page.set_viewport_size({"width": 1280, "height": 900})
        _open(page, address)
        whole = page.evaluate(TEXTS)
        page.set_viewport_size({"width": 640, "height": 450})
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=5000)
        shown = page.evaluate(TEXTS)
        # heads of tables become a label at each cell
        heads = {text.strip() for text in page.locator("thead th").all_text_contents()}
        assert [t for t in whole if t not in shown and t not in heads and t != "-"] == [], address
    page.evaluate(
        """() => document.querySelector('main').insertAdjacentHTML('beforeend',
            '<div class="skeleton"><span></span></div>')"""
    )
    lengths = page.evaluate("document.getAnimations().map((a) => a.effect.getComputedTiming().duration)")
    assert all(length <= 1 for length in lengths), lengths
    watch.assert_clean()


def test_a_failed_refresh_keeps_what_was_there_and_offers_retry(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/what-if/")
    before = page.locator("#what-if-result table").first.inner_text()
    reference = "0b6c0a52-6d0f-4a4e-9d0e-5f9f5a1f2c11"
    page.route(
        "**/what-if/?*", lambda route: route.fulfill(status=503, headers={"X-Request-ID": reference}, body="")
    )
    page.fill("#days", "3")
    page.keyboard.press("Tab")
    toast = page.locator(".toast-item[role=alert]")
    expect(toast).to_contain_text(reference)
    expect(toast.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.locator("#what-if-result")).to_have_class(re.compile("is-stale"))
    assert page.locator("#what-if-result table").first.inner_text() == before
    watch.assert_clean()


def test_waiting_is_shown_after_three_tenths_of_a_second(sign_in: MakePage) -> None:
    page = sign_in()
    page.evaluate(
        """() => document.querySelector('main').insertAdjacentHTML('beforeend',
            '<div class="skeleton" id="wait"><span></span></div>')"""
    )
    delay = page.evaluate(
        "document.getElementById('wait').getAnimations()[0].effect.getComputedTiming().delay"
    )
    assert delay == 300


def test_amounts_are_hidden_everywhere_until_asked_for(charted: tuple[Page, list[str]], watch: Watch) -> None:
    page, addresses = charted
    page.click("[data-action=private]")
    page.goto(addresses[0])
    page.wait_for_selector("[data-chart] svg text")
    assert "$" not in (page.locator("[data-chart] svg").first.text_content() or "")
    security = "[...document.querySelectorAll('.money')].map((e) => getComputedStyle(e).webkitTextSecurity)"
    assert set(page.evaluate(security)) == {"disc"}
    page.click("[data-action=private]")
    page.wait_for_function("document.querySelector('[data-chart] svg').textContent.includes('$')")
    watch.assert_clean()


def test_progress_survives_a_reload_and_cancel_ends_it(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/backtest/")
    page.click("main form button:has-text('Run')")
    page.wait_for_url(re.compile(r"/backtest/[0-9a-f-]{36}/"))
    page.reload()
    body = page.locator("#backtest-body")
    expect(body).to_be_visible()
    cancel = body.get_by_role("button", name="Cancel")
    # The refresh swaps the button every second, and a quick machine ends the run before it is pressed: then
    # the result stands there. Which of the two a cancel leaves is tested without a browser.
    result = body.locator("[data-chart]").first
    expect(cancel.or_(result).first).to_be_visible()
    with suppress(TooLateError):
        cancel.click(timeout=5_000)
    stopped = body.get_by_text("Nothing more is computed")
    expect(stopped.or_(result).first).to_be_visible()
    expect(body.get_by_role("progressbar")).to_have_count(0)
    watch.assert_clean()
