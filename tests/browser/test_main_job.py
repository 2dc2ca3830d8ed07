"""The main job in a real browser: log a condor, see what the worker computed, get the report."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch, open_console
from tests.site import manage

pytestmark = pytest.mark.browser
PASTE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
MakePage = Callable[..., Page]


def test_a_visitor_reaches_a_populated_demo_in_one_click_and_removes_it(
    new_page: MakePage, watch: Watch
) -> None:
    page = new_page()
    page.goto("/accounts/login/")
    page.click("button:has-text('Try the demo')")
    expect(page.locator("h1")).to_have_text("Demo account", timeout=60_000)
    expect(page.locator("table.data tbody tr").first).to_be_visible()
    page.click("button:has-text('Remove the demo')")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    watch.assert_clean()


def test_signing_up_and_resetting_a_password(new_page: MakePage, watch: Watch) -> None:
    page = new_page()
    page.goto("/accounts/signup/")
    for name, value in (("username", "newtrader"), ("email", "new@example.org"),
                        ("password1", "wide-condor-77"), ("password2", "wide-condor-77")):  # fmt: skip
        page.fill(f"input[name={name}]", value)
    page.click("form.narrow button[type=submit]")
    expect(page.locator("h2").first).to_have_text("Welcome")
    page.click("details.menu > summary")
    page.click("button:has-text('Sign out')")
    page.goto("/accounts/password/reset/")
    page.fill("input[name=email]", "new@example.org")
    page.click("form.narrow button[type=submit]")
    expect(page.locator("main")).to_contain_text(re.compile("sent", re.IGNORECASE))
    watch.assert_clean()


def test_a_pasted_condor_shows_its_figures_before_and_after_saving(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/new/")
    page.fill("textarea[name=order_text]", PASTE)
    preview = page.locator("#preview")
    for text in ("$255.00", "$4,745.00", "6,497.45", "6,902.55", "$5,000.00"):
        expect(preview).to_contain_text(text)
    page.fill("input[name=filled_at]", "2026-11-20T10:30")
    page.fill("input[name=fees]", "5.20")
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_contain_text("6450/6500 P – 6900/6950 C")
    # The worker's result arrives without a reload.
    valuation = page.locator("#valuation")
    expect(valuation).to_contain_text("Probability of profit", timeout=30_000)
    expect(valuation.locator("table.data").last).to_contain_text("SPXW")
    expect(page.locator("[data-chart=payoff] svg").first).to_be_visible()
    expect(valuation).to_contain_text("simulated")
    watch.assert_clean()


def test_a_bad_token_is_marked_and_the_text_is_kept(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/new/")
    broken = PASTE.replace("DEC", "DEZ")
    page.fill("textarea[name=order_text]", broken)
    expect(page.locator("mark")).to_have_text("DEZ")
    page.click("main form button.btn-primary")
    expect(page.locator("textarea[name=order_text]")).to_have_value(broken)
    expect(page.locator("main")).to_contain_text("JAN to DEC")
    watch.assert_clean()


def test_a_hedge_layer_is_logged_and_closed(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/trades/new/hedge/")
    page.select_option("select[name=layer]", "3")
    page.select_option("select[name=instrument]", "vx_future")
    page.fill("input[name=expiry]", "2027-01-20")
    page.fill("input[name=contracts]", "1")
    page.fill("input[name=price]", "18.25")
    page.fill("input[name=filled_at]", "2026-11-20T11:00")
    page.click("main form button.btn-primary")
    expect(page.locator("h1")).to_contain_text("1 × VXF27")
    page.click("a:has-text('Close')")
    page.fill("input[name^=price_]", "19.25")
    page.fill("input[name=filled_at]", "2026-11-20T12:00")
    page.click("main form button.btn-primary")
    expect(page.locator("main")).to_contain_text("Closed")
    watch.assert_clean()


def test_a_report_is_rendered_with_progress_and_opens(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in()
    page.goto("/reports/")
    page.select_option("select[name=format]", "pdf")
    page.click("main form button.btn-primary")
    download = page.locator("main a:has-text('Download')").first
    expect(download).to_be_visible(timeout=60_000)
    with page.expect_download() as started:
        download.click()
    assert started.value.path().read_bytes().startswith(b"%PDF")
    watch.assert_clean()


def test_a_damaged_upload_names_its_line(
    sign_in: MakePage, watch: Watch, site: tuple[str, dict[str, str]]
) -> None:
    manage("operator", "second", environment=site[1])
    page = sign_in("second", "demo-second")
    page.goto("/data/")
    page.set_input_files(
        "input[type=file]",
        {"name": "vix.csv", "mimeType": "text/csv", "buffer": b"date,close\n2026-01-02,oops\n"},
    )
    page.click("form[enctype] button[type=submit]")
    expect(page.locator("[role=alert]")).to_contain_text("Line 2, column close")
    watch.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/", "/trades/", "/hedge/", "/market/", "/data/", "/reports/", "/books/", "/trades/new/"]
)
def test_pages_are_clean_and_fit_a_phone(sign_in: MakePage, watch: Watch, path: str, scheme: str) -> None:
    page = sign_in(color_scheme=scheme, viewport={"width": 320, "height": 700})
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("html").get_attribute("data-bs-theme") == scheme
    watch.assert_clean()


def test_the_theme_is_kept_and_the_finder_finds(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in(color_scheme="light")
    page.click("[data-action=theme]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.keyboard.press("Control+k")
    page.keyboard.type("condor")
    expect(page.locator("#finder-results a").first).to_be_visible()
    watch.assert_clean()


def test_only_the_risk_group_sees_the_console(sign_in: MakePage, watch: Watch) -> None:
    page = sign_in("risk", "demo-risk")
    open_console(page)
    expect(page.locator("[role=status]").first).to_contain_text("recorded")
    page.click("main table a[data-row] >> nth=0")
    expect(page.locator(".banner").first).to_contain_text("read-only")
    page.goto("/risk/audit/?q=risk.view_account")
    expect(page.locator("tbody tr").first).to_contain_text("risk")
    watch.assert_clean()


def test_a_killed_worker_is_restarted_and_the_job_still_ends(
    sign_in: MakePage, site: tuple[str, dict[str, str]]
) -> None:
    page = sign_in()
    page.goto("/reports/")
    pattern = f"celery -A alvh_site worker.*{re.escape('worker@localhost')}"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    mine = [int(pid) for pid in found.stdout.split() if _state_dir(int(pid)) == site[1]["STATE_DIR"]]
    assert mine
    page.click("main form button.btn-primary")
    for pid in mine:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    began = time.monotonic()
    expect(page.locator("main a:has-text('Download')").first).to_be_visible(timeout=60_000)
    assert time.monotonic() - began < 60


def _state_dir(pid: int) -> str | None:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    values = dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)
    return values.get(b"STATE_DIR", b"").decode()
