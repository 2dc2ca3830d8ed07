"""Times across both DST changes, AM or PM of every leg, and a demo that leaves nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch
from tests.site import manage

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
PASTE = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
#: Everything that belongs to a demo, counted in the site's own database.
COUNT = """
import json
from journal.models import Account, AlertChannel, Fill, Membership, Trade, User
print(json.dumps([
    User.objects.filter(is_demo=True).count(), Account.objects.filter(is_demo=True).count(),
    Membership.objects.count(), Trade.objects.count(), Fill.objects.count(),
]))
"""


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_an_hour_typed_stays_that_hour_on_both_sides_of_the_clock_changes(
    sign_in: MakePage, watch: Watch, zone: str
) -> None:
    page = sign_in(timezone_id=zone)
    for day, offset in (
        ("2026-03-06", "-05:00"), ("2026-03-09", "-04:00"),
        ("2026-10-30", "-04:00"), ("2026-11-02", "-05:00"),
    ):  # fmt: skip
        page.goto("/trades/new/")
        page.fill("textarea[name=order_text]", PASTE)
        expect(page.locator("#preview")).to_contain_text("$4,745.00")
        page.fill("input[name=filled_at]", f"{day}T10:30")
        page.fill("input[name=fees]", "5.20")
        page.click("main form button.btn-primary")
        expect(page.locator("h1")).to_contain_text("6450/6500 P – 6900/6950 C")
        assert f"{day} 10:30 ET" in page.inner_text("main"), day
        trade = page.url.rstrip("/").rsplit("/", 1)[-1]
        answer = page.request.get(f"/api/v1/trades/{trade}/").json()
        assert answer["opened_at"] == f"{day}T10:30:00{offset}"
    watch.assert_clean()


def test_every_leg_says_whether_it_settles_in_the_morning_or_after_the_close(
    sign_in: MakePage, watch: Watch
) -> None:
    page = sign_in()
    for kind, word, legs in (("condor", "PM", 4), ("hedge_layer", "AM", 1)):
        page.goto(f"/trades/?status=open&kind={kind}")
        page.goto(page.locator("a[data-row]").last.get_attribute("href") or "")
        table = page.locator("section:has(h2:text-is('Open legs')) table")
        at = table.locator("thead th").all_inner_texts().index("Settles")
        said = table.locator(f"tbody td:nth-child({at + 1})").all_inner_texts()
        assert len(said) >= legs
        assert set(said) == {word}, (kind, said)
    watch.assert_clean()


def test_a_demo_is_there_in_one_click_and_leaves_no_row(
    new_page: MakePage, watch: Watch, site: tuple[str, dict[str, str]]
) -> None:
    def counted() -> list[int]:
        found: list[int] = json.loads(
            manage("shell", "-v0", "-c", COUNT, environment=site[1]).splitlines()[-1]
        )
        return found

    before = counted()
    page = new_page()
    page.goto("/accounts/login/")
    page.click("button:has-text('Try the demo')")
    expect(page.locator("h1")).to_have_text("Demo account", timeout=60_000)
    during = counted()
    assert all(now > then for now, then in zip(during, before, strict=True)), (before, during)
    page.click("button:has-text('Remove the demo')")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert counted() == before
    watch.assert_clean()
