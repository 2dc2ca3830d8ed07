"""Charts that can be read and say what they show; focus that is seen; a condor's life by keys alone."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch
from tests.browser.test_accessibility import _open

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
PASTE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"

#: Contrast of every text of a chart against the panel it lies on (WCAG 1.4.3).
FAINT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
  };
  const texts = [...document.querySelectorAll('[data-chart] svg text')].filter((t) => t.textContent.trim());
  return texts.map((t) => {
    const a = light(parse(getComputedStyle(t).fill)), b = light(ground(t.closest('[data-chart]')));
    return [t.textContent, (Math.max(a, b) + .05) / (Math.min(a, b) + .05)];
  });
}"""
UNEXPLAINED = """() => [...document.querySelectorAll('[data-chart]')].filter((holder) => {
  const figure = holder.closest('figure');
  return !(holder.getAttribute('aria-label') && figure?.querySelector('figcaption')?.textContent.trim()
    && figure.querySelector('table tbody tr'));
}).map((holder) => holder.dataset.chartSrc)"""


def test_charts_are_legible_in_both_themes_and_say_what_they_show(
    charted: tuple[Page, list[str]], watch: Watch
) -> None:
    page, addresses = charted
    for address in addresses:
        _open(page, address)
        end = time.monotonic() + 90
        while not page.locator("[data-chart]").count() and time.monotonic() < end:
            page.wait_for_timeout(1000)  # workers are still attributing the demo's days
            _open(page, address)
        assert page.evaluate(UNEXPLAINED) == [], address
        before = ""
        for scheme in ("light", "dark"):
            # The theme follows the system, and charts on the page follow the theme.
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal of the two
            expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
            first = page.locator("[data-chart] svg text").first
            expect(first).not_to_have_css("fill", before)
            before = first.evaluate("(text) => getComputedStyle(text).fill")
            texts = page.evaluate(FAINT)
            assert texts, address
            assert [t for t in texts if t[1] < 4.5] == [], (address, scheme)
    watch.assert_clean()


def test_focus_is_seen_in_order_and_the_skip_link_leads_to_the_content(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    page.goto("/trades/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    seen = set()
    for _ in range(45):
        page.keyboard.press("Tab")
        label, style, left = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.outerHTML.slice(0, 90), `${s.outlineStyle} ${parseFloat(s.outlineWidth)}`,
                    e.getBoundingClientRect().right]; }"""
        )
        assert re.match(r"(solid|auto) [1-9]", style), (label, style)
        assert left > 0, label
        seen.add(label)
    assert len(seen) > 40  # no trap
    page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    watch.assert_clean()


def test_a_condor_is_created_rolled_and_closed_by_keyboard_alone(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    keys = page.keyboard

    def reach(selector: str) -> None:
        """Tab to the control; it must be on the way."""
        for _ in range(150):
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return
            keys.press("Tab")
        pytest.fail(f"{selector} is not reached by Tab on {page.url}")

    def put(selector: str, text: str) -> None:
        reach(selector)
        keys.press("Control+a")
        keys.type(text)

    keys.press("g")
    keys.press("n")
    page.wait_for_url("**/trades/new/")
    put("textarea[name=order_text]", PASTE)
    expect(page.locator("#preview")).to_contain_text("$4,745.00")
    put("input[name=fees]", "5.20")
    put("[name=reason]", "by keyboard")
    reach("main form button.btn-primary")
    keys.press("Enter")
    expect(page.locator("h1")).to_contain_text("6450/6500 P – 6900/6950 C")
    reach("a[href$='/roll/']")
    keys.press("Enter")
    page.wait_for_url("**/roll/")
    reach("input[name=expiry]")
    keys.type("01152027")
    for name, price in (("price", "1.00"), ("new_price", "2.00")):
        for at in range(page.locator(f"input[name^={name}_]").count()):
            field = page.locator(f"input[name^={name}_]").nth(at).get_attribute("name")
            page.locator("h1").evaluate("(e) => { e.tabIndex = -1; e.focus(); }")
            put(f"input[name='{field}']", price)
    put("[name=reason]", "out in time")
    reach("main form button.btn-primary")
    keys.press("Enter")
    page.wait_for_url("**/chain/")
    reach(".page-head a")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/$"))
    expect(page.locator("h1")).to_contain_text("Jan 15 '27")
    reach("a[href$='/close/']")
    keys.press("Enter")
    page.wait_for_url("**/close/")
    for at in range(page.locator("input[name^=price_]").count()):
        put(f"input[name='{page.locator('input[name^=price_]').nth(at).get_attribute('name')}']", "1.50")
    reach("main form button.btn-primary")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text("Closed")
    watch.assert_clean()
