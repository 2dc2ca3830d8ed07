"""Thirty payloads in every text a user can write, looked at in Chromium and in files: nothing runs (G12)."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, sync_playwright

from journal.models import (
    Account,
    Alert,
    AlertChannel,
    Attachment,
    BacktestRun,
    ImportBatch,
    Playbook,
    RulesetVersion,
    Trade,
)
from journal.reports.render import render
from journal.services.accounts import account_update
from journal.services.book.trades import trade_create
from journal.services.cash.ledger import cash_record
from journal.services.governance.rulesets import ruleset_draft, ruleset_ensure
from journal.services.imports.stage import import_upload
from journal.services.review.attachments import attachment_add
from journal.services.review.notes import note_create
from journal.services.review.playbooks import playbook_save
from journal.services.review.reviews import range_tag, trade_tag
from journal.services.saved_views import view_save
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.importers.cases import HEADER, tasty
from tests.journal.people import People, condor_legs, make_people, order, png
from tests.journal.reports.cases import report
from tests.security.test_tenancy import PAGES, POST_ONLY
from tests.site import chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MARKUP = (
    "<script>xss(1)</script>", "<img src=x onerror=xss(2) data-xss>", '"><svg data-xss onload=xss(3)>',
    "'><b data-xss>", "</textarea><b data-xss>", "</title><b data-xss>", "</script><b data-xss>",
    "<iframe data-xss srcdoc='<b>'>", "javascript:xss(9)", "[x](javascript:xss(10))",
    '![x](x" onerror="xss(11))', "<b data-xss>{{7*7}}{% debug %}", "<style>*{color:red}</style><b data-xss>",
    "<a data-xss href=javascript:xss(14)>x</a>", "<details data-xss open ontoggle=xss()>",
    "&lt;b data-xss&gt;", "%3Cb data-xss%3E", "\\u003cb data-xss\\u003e", "<!--><b data-xss>-->",
    "<math><b data-xss></math>", "<b data-xss hx-on:load=xss(21)>", "<base data-xss href=//x.example>",
    "<form data-xss action=//x.example>", "<meta data-xss http-equiv=refresh>", "`${xss(25)}`<b data-xss>",
    "<b data-xss hx-get=/ hx-trigger=load>", "<x-y data-xss data-action=print>", "\"-xss(28)-\"",
    "</style><b data-xss>", "<link data-xss rel=stylesheet href=x>",
)  # fmt: skip
FORMULAS = ("=1+1", "+1+xss", "-1+xss", "@SUM(A1)", "\t=2+2", "=cmd|' /C calc'!A0", '=HYPERLINK("//x")')
PAYLOADS = MARKUP + FORMULAS
#: Answers that are no page.
FILES = {
    "health",
    "api-schema",
    "rules_document",
    "file",
    "file_thumbnail",
    "report_download",
    "own_data_download",
}
WATCH = """
window.ran = [];
window.xss = (n) => { window.ran.push(n ?? 0); };
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = () => window.ran.push(name);
document.addEventListener("securitypolicyviolation", (e) => window.ran.push("policy " + e.violatedDirective));
"""
#: What a payload would have made, apart from the words themselves; templates and text areas stay as they are.
MADE = """() => [...document.querySelectorAll("[data-xss], img[src=x], base, iframe, meta[http-equiv]")]
  .map((e) => e.outerHTML.slice(0, 120))
  .concat([...document.querySelectorAll("a[href]")].filter((a) => /^\\s*(javascript|data|vbscript):/i.test(
    a.getAttribute("href"))).map((a) => a.outerHTML.slice(0, 120)))
  .concat([...document.querySelectorAll("*")]
    .filter((e) => [...e.attributes].some((a) => a.name.startsWith("on")))
    .map((e) => e.outerHTML.slice(0, 120)))"""


@pytest.fixture
def people() -> People:
    # Audit rows of real accounts could not be flushed away after the test.
    return make_people(is_demo=True)


@pytest.fixture
def ids(people: People) -> dict[str, Any]:
    """Every text a user can write holds a payload; the objects by the first part of their routes."""
    owner, account = people.owner, people.account
    account = account_update(
        user=owner, account=account, version=account.version, name=MARKUP[1], broker=MARKUP[2]
    )
    batch = _imported(people)
    trades = []
    for number, text in enumerate(PAYLOADS):
        trade = trade_create(
            user=owner, account=account, kind=Trade.Kind.CONDOR, order=order(condor_legs()), reason=text
        )
        trades.append(trade)
        trade_tag(user=owner, trade=trade, name=text[:40], kind="mistake" if number % 2 else "label")
        note_create(user=owner, account=account, trade=trade, text=f"{text}\n\n# {text}\n\n- `{text}`")
        playbook_save(user=owner, account=account, name=text, text=text, items=[text])
        view_save(user=owner, name=text, query=f"tag={text[:40]}&q={text}")
        cash_record(
            user=owner, account=account, kind="deposit", amount=Decimal(5), day=date(2026, 11, 2), note=text
        )
        Alert.objects.create(account=account, kind=Alert.Kind.MARGIN, key=str(number), message=text)
        AlertChannel.objects.create(account=account, user=owner, kind="webhook", target=f"https://x/{text}")
    day = date(2026, 11, 2)
    range_tag(user=owner, account=account, name=MARKUP[3][:40], date_from=day, date_to=day)
    for number, text in enumerate(MARKUP[:10]):
        picture = png(40 + number)
        attachment_add(user=owner, account=account, trade=trades[0], name=f"{text}.png", content=picture)
    Attachment.objects.filter(name="img-src-x-onerror-xss-2-data-xss.png").update(name=MARKUP[1])
    active = ruleset_ensure(account=account)
    document = {**active.document, "title": MARKUP[0], "summary": MARKUP[4]}
    draft = ruleset_draft(
        user=owner, account=account, document=document, parent=active, reason=" ".join(MARKUP)[:400]
    )
    run = BacktestRun.objects.create(
        account=account, key="k" * 64, title=MARKUP[1], document={},
        settings={"first": "2015-01-02", "last": "2015-02-02", "hedge": "on", "capital": 1e6, "seed": 1},
        sets=[{"condor.dte": 45}],
    )  # fmt: skip
    playbook = Playbook.objects.filter(account=account).first()
    assert playbook is not None
    assert RulesetVersion.objects.filter(pk=draft.pk).exists()
    return {
        "trades": trades, "books": account.pk, "imports": batch.pk, "rules": draft.pk, "backtest": run.pk,
        "playbooks": playbook.pk, "days": day,
    }  # fmt: skip


def _imported(people: People) -> ImportBatch:
    """A file whose cells hold the payloads; no row of it is understood."""
    good = tasty("2025-10-03", "10:05:36", "SELL_TO_OPEN", "P", 6600, "3.00", "11")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(next(csv.reader([HEADER])))
    for text in PAYLOADS:
        cells = next(csv.reader([good]))
        cells[4], cells[6] = text.replace("\t", " "), text.replace("\t", " ")
        writer.writerow(cells)
    batch = import_upload(
        user=people.owner, account=people.account, filename=f"{MARKUP[1]}.csv", data=out.getvalue().encode()
    )
    assert batch.counts["error"] == len(PAYLOADS)
    return batch


def addresses(ids: dict[str, Any]) -> Iterator[str]:
    """Every page: lists as they are, pages of objects for the ones made here, every trade's own page."""
    for name, path in PAGES:
        if name in POST_ONLY | FILES or path.endswith((".csv", "csv/")):
            continue
        kind = path.split("/", 1)[0]
        own = ids["trades"][0].pk if kind == "trades" else ids.get(kind)
        if "<uuid:pk>" in path and own is None:
            continue
        if re.search(r"<(?!uuid:pk|day:day|slug:name)", path):
            continue
        filled = path.replace("<uuid:pk>", str(own)).replace("<day:day>", "2026-11-02")
        yield "/" + filled.replace("<slug:name>", "neutral-vxth")
    for trade in ids["trades"][1:]:
        yield f"/trades/{trade.pk}/"
    for text in MARKUP[:6]:
        from urllib.parse import quote

        yield f"/trades/?q={quote(text)}&tag={quote(text)}&status={quote(text)}"
        yield f"/find/?q={quote(text)}"


@pytest.fixture
def context(live_server: Any, people: People) -> Iterator[BrowserContext]:
    client = Client()
    client.force_login(people.owner)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        made = browser.new_context(base_url=live_server.url)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        made.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        made.add_init_script(WATCH)
        yield made
        browser.close()


@pytest.fixture
def _asynchronous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Playwright runs an event loop in this thread; the ORM is used beside it, not inside."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.mark.usefixtures("_asynchronous")
def test_nothing_runs_in_the_browser(ids: dict[str, Any], context: BrowserContext) -> None:
    page = context.new_page()
    found: dict[str, Any] = {}
    said: list[str] = []
    foreign: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda m: said.append(m.text) if "Content Security Policy" in m.text else None)
    page.on("request", lambda r: foreign.append(r.url) if "x.example" in r.url else None)
    seen = 0
    for address in addresses(ids):
        answer = page.goto(address, wait_until="domcontentloaded")
        assert answer is not None
        seen += answer.status == 200
        ran, made = page.evaluate("window.ran"), page.evaluate(MADE)
        if ran or made or said or foreign:
            found[address] = (ran, made, list(said), list(foreign))
            said.clear()
            foreign.clear()
    assert not found
    assert seen > 60
    page.goto("/trades/")
    assert PAYLOADS[0] in page.inner_text("body") or page.locator(f"text={PAYLOADS[0]}").count()


def test_cells_of_csv_files_are_no_formulas(people: People, ids: dict[str, Any]) -> None:
    client = Client()
    client.force_login(people.owner)
    files = {name: f"/{path}" for name, path in PAGES if path.endswith(".csv") and "<" not in path}
    checked = 0
    for name, url in files.items():
        answer = client.get(url, {"account": people.account.pk})
        if answer.status_code != 200:
            continue
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        checked += _check_cells(name, content.decode())
    assert checked > 300
    assert len(files) >= 8


def _check_cells(name: str, text: str) -> int:
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    for cell in cells:
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
            assert re.fullmatch(r"[+-][0-9.,]+%?", cell), (name, cell)
    return len(cells)


def test_reports_hold_the_words_and_nothing_else(people: People, ids: dict[str, Any]) -> None:
    account = Account.objects.get(pk=people.account.pk)
    data = report(account, generated_by=MARKUP[1], as_of=datetime(2026, 11, 20, 22, tzinfo=UTC))
    html = render(data, "html").decode()
    assert "data-xss>" not in html.replace("data-xss&gt;", "")
    assert not re.search(r"<(script|iframe|base|svg data|img src=x)", html)
    pdf = pypdf.PdfReader(io.BytesIO(render(data, "pdf")))
    names = str(pdf.trailer["/Root"]) + "".join(str(page.get_object()) for page in pdf.pages)
    assert not re.search(r"/(JavaScript|JS|OpenAction|AA|Launch|EmbeddedFile)\b", names)
    with zipfile.ZipFile(io.BytesIO(render(data, "csv"))) as archive:
        assert sum(_check_cells(n, archive.read(n).decode("utf-8-sig")) for n in archive.namelist()) > 100
    with zipfile.ZipFile(io.BytesIO(render(data, "xlsx"))) as book:
        sheets = "".join(book.read(n).decode() for n in book.namelist() if "worksheets/sheet" in n)
    assert "<f>" not in sheets
