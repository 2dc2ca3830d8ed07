"""Two of three sign a recommendation, each in a browser; a reader cannot, and a late tab is told why."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch
from tests.site import manage

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
PASSWORD = "wide-condor-77"
#: An account of its own on the simulated market. The workers answer for it first: the same inputs are asked
#: once, so that nothing supersedes the proposal written by hand, which adds risk whatever the day's market.
SETUP = f"""
import time
from django.db import transaction
from decimal import Decimal
from hedging.services.snapshots.snapshots import snapshot_for
from journal.models import Role, User
from journal.services.accounts import account_create, member_add
from journal.services.governance.advice import account_advise
from journal.services.governance.recommendations import advice_store
from journal.services.governance.rulesets import ruleset_ensure
from tests.journal.governance.cases import advice, proposal

ann, bob, cat, dan = (
    User.objects.create_user(f"sign-{{name}}", f"sign-{{name}}@example.org", "{PASSWORD}")
    for name in ("ann", "bob", "cat", "dan")
)
account = account_create(
    user=ann, is_demo=True, name="Signed together", broker="Simulated broker", base_capital=Decimal(400_000)
)
for user, role in ((bob, Role.SIGNER), (cat, Role.SIGNER), (dan, Role.VIEWER)):
    member_add(user=ann, account=account, member=user, role=role, signed=True)
job = account_advise(account=account)
for _ in range(600):
    job.refresh_from_db()
    if job.state == "done":
        break
    time.sleep(0.1)
assert job.state == "done", (job.state, job.error)
account.refresh_from_db()
ruleset, row = ruleset_ensure(account=account), snapshot_for(simulated=True)
given = advice(account, row, ruleset, proposal(6000.0, 9000.0))
run = advice_store(account=account, ruleset=ruleset, snapshot=row, advice=given)
print(run.recommendations.get().pk)
"""


def test_two_of_three_sign_and_the_decision_is_on_record(
    sign_in: MakePage, site: tuple[str, dict[str, str]], watch: Watch
) -> None:
    pk = manage("shell", "-v", "0", "-c", SETUP, environment=site[1]).split()[-1]
    ann, bob, cat, dan = (
        sign_in(f"sign-{name}", PASSWORD, viewport={"width": width, "height": 900})
        for name, width in (("ann", 1280), ("bob", 375), ("cat", 1280), ("dan", 375))
    )
    for page in (ann, bob, cat, dan):
        page.goto(f"/recommendations/{pk}/")
        expect(page.locator("main")).to_contain_text("2 more of sign-ann, sign-bob, sign-cat must sign")
        expect(page.locator("main")).to_contain_text("48 hours later")

    expect(dan.locator("main")).to_contain_text("Only owners and signers approve")
    for name in ("Approve", "Override", "Snooze"):
        expect(dan.get_by_role("button", name=re.compile(f"^{name}"))).to_have_count(0)

    approve = re.compile("^Approve")
    ann.get_by_role("button", name=approve).click()
    expect(ann.locator("#toasts")).to_contain_text("You signed; 1 more signature needed")
    expect(ann.locator("main")).to_contain_text("1 more of sign-bob, sign-cat must sign")
    expect(ann.get_by_role("button", name=approve)).to_have_count(0)

    # Bob's tab was open before Ann signed; the content is the same, so that his signature is the second.
    bob.get_by_role("button", name=approve).click()
    expect(bob.locator("#toasts")).to_contain_text("it is approved and may be executed from")
    expect(bob.locator("main")).to_contain_text("2 of 2: sign-ann, sign-bob")
    expect(bob.locator("#execute")).to_contain_text("It waits until")

    # Cat's tab still shows the button.
    cat.get_by_role("button", name=approve).click()
    expect(cat.locator("#toasts [role=alert]")).to_contain_text("This recommendation is already approved")
    expect(cat.locator("main")).to_contain_text("2 of 2: sign-ann, sign-bob")
    expect(cat.get_by_role("button", name=approve)).to_have_count(0)

    cat.goto("/discipline/")
    expect(cat.locator("main")).to_contain_text("Still open")
    ann.goto(f"/recommendations/{pk}/")
    ann.select_option("select[name=reason_code]", "view")
    ann.fill("textarea[name=reason]", "too short")
    ann.get_by_role("button", name="Override").click()
    expect(ann.locator("#override")).to_contain_text("at least 10 characters")
    ann.fill("textarea[name=reason]", "The release on Thursday comes first.")
    ann.get_by_role("button", name="Override").click()
    expect(ann.locator("#toasts")).to_contain_text("Overridden")

    for page in (cat, dan):
        page.goto("/discipline/")
        row = page.locator("table.data tbody tr")
        expect(row).to_have_count(1)
        for text in (
            "Buy 4 VIX 25 calls", "by sign-ann", "Overridden", "steward", "I see the market differently",
            "The release on Thursday comes first.",
        ):  # fmt: skip
            expect(row).to_contain_text(text)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    watch.assert_clean()
