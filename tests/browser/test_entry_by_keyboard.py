"""A condor built from the chain without touching a mouse: strikes by delta, stepped, saved."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
STRIKES = ("long_put", "short_put", "short_call", "long_call")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the input has the focus."""
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")


def test_strikes_are_filled_by_delta_stepped_and_saved_by_keyboard_alone(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    keys = page.keyboard
    page.goto("/trades/new/")
    expect(page.locator("#chain")).to_contain_text("simulated")
    page.locator("#id_account").focus()
    _tab_to(page, "id_chain-put_delta")
    keys.press("Control+a")
    keys.type("20")
    _tab_to(page, "id_chain-call_delta")
    keys.press("Control+a")
    keys.type("10")
    keys.press("Enter")  # asks for strikes; saves nothing
    expect(page.locator("#chain")).to_contain_text("Filled in")
    expect(page).to_have_url(re.compile("/trades/new/$"))
    for name in STRIKES:
        expect(page.locator(f"#id_{name}")).not_to_have_value("")
    strikes = [float(page.input_value(f"#id_{name}")) for name in STRIKES]
    assert strikes == sorted(set(strikes))
    expect(page.locator("#near-short_put")).to_contain_text("Δ −0.")
    put, call = (
        float(page.locator(f"#near-{name}").inner_text().split()[1].replace("−", "-"))
        for name in ("short_put", "short_call")
    )
    assert put == pytest.approx(-0.20, abs=0.02)
    assert call == pytest.approx(0.10, abs=0.02)
    # The preview has what a trader looks at before an order.
    preview = page.locator("#preview")
    for words in ("Probability of profit", "Credit at the mid", "Bid to ask", "simulated"):
        expect(preview).to_contain_text(words)
    expect(preview.locator("[data-chart=payoff] svg")).to_be_visible()
    # Arrow keys go to the neighbouring listed strike, the buttons do the same.
    listed = page.evaluate("JSON.parse(document.getElementById('chain-strikes').textContent).strikes")
    at = listed.index(strikes[3])
    _tab_to(page, "id_long_call")
    keys.press("ArrowUp")
    expect(page.locator("#id_long_call")).to_have_value(f"{listed[at + 1]:g}")
    expect(page.locator("#preview h2")).to_contain_text(f"{listed[at + 1]:g}")
    keys.press("Tab")
    expect(page.locator("[data-step='1']:focus")).to_have_count(1)
    keys.press("Enter")
    expect(page.locator("#id_long_call")).to_have_value(f"{listed[at + 2]:g}")
    # An offered credit gives way to what the fill was; asking again leaves that alone.
    assert float(page.input_value("#id_credit")) > 0
    _tab_to(page, "id_credit")
    keys.press("Control+a")
    keys.type("9.85")
    page.locator("#chain-pick").focus()
    keys.press("Enter")
    expect(page.locator("#id_long_call")).to_have_value(f"{strikes[3]:g}")
    expect(page.locator("#id_credit")).to_have_value("9.85")
    page.locator("#id_credit").focus()
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/trades/[0-9a-f-]{36}/"))
    expect(page.locator("main")).to_contain_text("+$985.00")
    watch.assert_clean()


def test_a_pasted_order_stands_in_for_filled_strikes_and_the_form_says_so(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    page.goto("/trades/new/")
    page.fill("textarea[name=order_text]", "BUY +1 SPX 100 18 DEC 26 6900 CALL @20")
    page.locator("#chain-pick").click()
    expect(page.locator(".text-wins")).to_be_visible()
    page.fill("textarea[name=order_text]", "")
    expect(page.locator(".text-wins")).to_be_hidden()
    watch.assert_clean()
