"""The three formats of one report, read back with other tools."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pypdf
import pytest

from journal.models import Trade
from journal.reports import data as gathering
from journal.reports.bundle import render_one_csv
from journal.reports.chart import report_charts
from journal.reports.model import ReportData
from journal.reports.render import render
from journal.reports.texts import amount, number, price, share
from journal.services.book.trades import trade_create
from tests.journal.people import (
    close_condor,
    condor_legs,
    make_people,
    open_condor,
    order,
    vix_call,
    vx,
)
from tests.journal.reports.cases import HOSTILE, MADE, many_fills, market, renamed, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> ReportData:
    people = make_people(name="Main")
    monkeypatch.setattr(gathering, "_market", lambda account, moment: market())
    close_condor(people, open_condor(people))
    open_condor(people)
    for leg, layer in ((vix_call(), 1), (vx(), 3)):
        trade_create(
            user=people.owner, account=people.account, kind=Trade.Kind.HEDGE, layer=layer,
            order=order([leg]),
        )  # fmt: skip
    return report(people.account)


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def tables(content: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))
            for name in archive.namelist()
        }


class Page(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_pdf_pages_are_numbered_and_say_the_figures(data: ReportData) -> None:
    content = render(data, "pdf")
    reader = pypdf.PdfReader(io.BytesIO(content))
    count = len(reader.pages)
    for number_of, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert f"{number_of} of {count}" in text
        assert "no advice" in text
        assert "Main" in text
    text = pdf_text(content)
    for words in (
        "+$3,629.00",
        "+$934.60",
        "$2,745.00",
        "SPXW 6450 P · Dec 18 '26 (PM)",
        "PM",
    ):
        assert words in text
    assert reader.metadata is not None
    assert reader.metadata.title == "Account report: Main"
    width, height = reader.pages[0].mediabox.width, reader.pages[0].mediabox.height
    assert (width, height) == (612, 792)


def test_pdf_embeds_every_font_and_draws_the_charts_as_vectors(data: ReportData) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render(data, "pdf")))
    fonts, images = {}, 0
    for page in reader.pages:
        images += len(page.images)
        for name, font in page["/Resources"].get("/Font", {}).items():
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = descendant["/FontDescriptor"].get_object()
            fonts[name] = descriptor["/FontName"]
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
    assert fonts
    assert all("LibertinusSerif" in name for name in fonts.values())
    assert images == 0
    assert "SPX at settlement" in pdf_text(render(data, "pdf"))


def test_paper_follows_the_account(data: ReportData) -> None:
    european = replace(data, header=replace(data.header, time_zone="Europe/Berlin"))
    page = pypdf.PdfReader(io.BytesIO(render(european, "pdf"))).pages[0]
    assert round(float(page.mediabox.width)) == 595
    assert "CET" in page.extract_text()


@pytest.mark.parametrize("form", ["pdf", "html", "csv", "xlsx"])
def test_the_same_report_gives_the_same_bytes(data: ReportData, form: str) -> None:
    assert render(data, form) == render(data, form)


def test_hostile_texts_stay_texts(data: ReportData) -> None:
    hostile = renamed(data)
    squeezed = re.sub(r"\s+", "", pdf_text(render(hostile, "pdf")))
    assert re.sub(r"\s+", "", HOSTILE) in squeezed
    page = Page(render(hostile, "html"))
    assert HOSTILE in page.text
    assert not [tag for tag, _ in page.tags if tag == "script"]
    for chart in report_charts(hostile):
        texts = "".join(ET.fromstring(chart.svg).itertext())
        assert chart.name == "payoff" or HOSTILE in texts


def test_texts_in_scripts_no_embedded_font_has_do_not_break_the_pdf(data: ReportData) -> None:
    content = render(renamed(data, "口座 حساب 📈"), "pdf")
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) >= 2


def test_html_is_one_file_without_script_or_address(data: ReportData) -> None:
    content = render(data, "html")
    page = Page(content)
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "base", "iframe", "object", "embed", "img", "form", "a"}
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href"):
            assert re.match(r"^#", attributes.get(name) or "#"), attributes
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in page.tags].count("style") == 1
    style = content.partition(b"<style>")[2].partition(b"</style>")[0].decode()
    assert not re.search(r"url\(|@import|expression|[{]%", style)
    assert "+3,629.00" in page.text or "+$3,629.00" in page.text


def test_a_dark_page_repaints_every_colour_of_the_charts(data: ReportData) -> None:
    """Print and a light page keep them; what the style does not name would stay dark on dark."""
    content = render(data, "html").decode()
    style, page = content.partition("<style>")[2].split("</style>")
    drawn = set(re.findall(r' (fill|stroke)="(#[0-9a-f]{6})"', page))
    assert {colour for _, colour in drawn} >= {"#0b5cad", "#16212b", "#4a5866"}
    assert {pair for pair in drawn if f'svg [{pair[0]}="{pair[1]}"]' not in style} == set()
    dark = style.partition("prefers-color-scheme: dark")[2].partition("*, ::before")[0]
    assert "@media screen and (prefers-color-scheme: dark)" in style
    named = set(re.findall(r"--([a-z-]+):", style.partition("@media")[0]))
    assert set(re.findall(r"--([a-z-]+):", dark)) == named


def test_no_sheet_shows_what_binary_arithmetic_leaves_behind(data: ReportData) -> None:
    found = replace(
        data, greeks={"SPX": replace(data.greeks["SPX"], delta=0.1 + 0.2, gamma=-475.1599999999999)}
    )
    (row,) = tables(render(found, "csv"))["greeks.csv"]
    assert (row["delta_usd_per_point"], row["gamma_usd_per_point2"]) == ("0.3", "-475.16")
    with zipfile.ZipFile(io.BytesIO(render(found, "xlsx"))) as book:
        cells = [
            cell.text or ""
            for name in book.namelist()
            if name.startswith("xl/worksheets/")
            for cell in ET.fromstring(book.read(name)).iter()
            if cell.tag.endswith("}v")
        ]
        styles = book.read("xl/styles.xml").decode()
    assert "-475.16" in cells
    # A spreadsheet reads fifteen digits; moments are counted in days since 1900.
    shown = [f"{float(cell):.15g}" for cell in cells if abs(float(cell)) < 20_000]
    assert not [text for text in shown if len(re.sub(r"e.*|[-.]", "", text).lstrip("0")) > 10]
    assert "UTC" in styles


def test_csv_adds_up_and_keeps_numbers(data: ReportData) -> None:
    found = tables(render(data, "csv"))
    assert set(found) == {
        f"{n}.csv"
        for n in (
            "summary", "attribution", "attribution_split", "attribution_days", "performance", "months",
            "statistics", "capital", "positions", "legs", "layers", "greeks", "fills",
        )
    }  # fmt: skip
    summary = {row["figure"]: row["value"] for row in found["summary.csv"]}
    lines = found["positions.csv"]
    for column, figure in (
        ("period_pnl", "with_hedge_pnl"), ("period_realized", "with_hedge_realized"),
        ("period_fees", "with_hedge_fees"), ("period_unrealized_at_end", "with_hedge_unrealized_at_end"),
    ):  # fmt: skip
        assert sum(Decimal(row[column]) for row in lines) == Decimal(summary[figure]), column
    assert sum(Decimal(row["fees"]) for row in found["fills.csv"]) == Decimal(summary["with_hedge_fees"])
    parts = [Decimal(summary[f"{name}_pnl"]) for name in ("condors", "other", "hedge_layers")]
    assert sum(parts) == Decimal(summary["with_hedge_pnl"]) == Decimal("3629.00")
    legs = {}
    for row in found["legs.csv"]:
        legs[row["trade_id"]] = legs.get(row["trade_id"], Decimal(0)) + Decimal(row["pnl"])
    assert legs == {r["trade_id"]: Decimal(r["unrealized"]) for r in lines if r["status"] == "open"}
    assert any(row["quantity"].startswith("-") for row in found["legs.csv"])


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-2+3", "@SUM(A1)", "\tx", "\rx"])
def test_csv_texts_are_never_formulas(data: ReportData, text: str) -> None:
    for name, rows in tables(render(renamed(data, text), "csv")).items():
        for row in rows:
            for column, cell in row.items():
                if cell[:1] in {"=", "@", "\t", "\r", "+"}:
                    raise AssertionError((name, column, cell))
                if cell[:1] == "-":
                    Decimal(cell)


def test_csv_as_one_file_holds_every_table(data: ReportData) -> None:
    text = render_one_csv(data).decode("utf-8-sig")
    assert [name for name in ("summary", "positions", "fills") if f"{name}\r\n" in text] != []
    assert text.count("\r\n\r\n") == 12


def test_unknown_is_a_word_in_print_and_empty_in_tables(data: ReportData, monkeypatch) -> None:
    people = make_other()
    monkeypatch.setattr(gathering, "_market", lambda account, moment: None)
    found = report(people.account)
    for text in (pdf_text(render(found, "pdf")), Page(render(found, "html")).text):
        assert "unknown" in text
        assert "†" in text
        assert "no market data" in text
        assert "nan" not in text.lower().replace("finan", "")
    (row,) = tables(render(found, "csv"))["positions.csv"]
    assert (row["unrealized"], row["partial"]) == ("", "yes")


def make_other():
    """A second owner, whose market is unknown."""
    from journal.models import User
    from tests.journal.people import People, make_account

    user = User.objects.create_user("other", "other@example.org", "a-long-password-42")
    account = make_account(user, name="Other")
    trade_create(user=user, account=account, kind=Trade.Kind.CONDOR, order=order(condor_legs()))
    return People(user, user, user, account)


def test_an_empty_account_has_a_report_too() -> None:
    people = make_people()
    found = report(people.account)
    assert "Nothing is open" in pdf_text(render(found, "pdf"))
    assert "No fill in the period" in Page(render(found, "html")).text
    assert tables(render(found, "csv"))["fills.csv"] == []


def test_a_long_table_repeats_its_heading_on_every_page(data: ReportData) -> None:
    reader = pypdf.PdfReader(io.BytesIO(render(many_fills(data, 300), "pdf")))
    pages = [p.extract_text() for p in reader.pages]
    with_fills = [text for text in pages if text.count("Dec 18 '26") > 20]
    assert len(with_fills) >= 4
    assert all("Premium" in text for text in with_fills)
    assert "300 fills" in pages[-1]


def test_ten_thousand_fills_are_all_printed_on_numbered_pages(data: ReportData) -> None:
    content = render(many_fills(data, 10_000), "pdf")
    reader = pypdf.PdfReader(io.BytesIO(content))
    pages = [page.extract_text().replace("\N{NO-BREAK SPACE}", " ") for page in reader.pages]
    listed = [text for text in pages if text.count("2026-11-") > 60]
    assert sum(len(re.findall(r"2026-11-\d\d \d\d:\d\d  ", text)) for text in pages) == 10_000
    assert len(listed) >= 10_000 // 75
    assert all("Premium" in text for text in listed)
    assert "10,000 fills" in pages[-1]
    assert f"{len(pages)} of {len(pages)}" in pages[-1]
    assert len(content) < 5_000_000


def test_figures_are_written_in_the_words_of_the_site() -> None:
    assert amount(Decimal(-4745)) == "−4,745.00"
    assert amount(Decimal(4745), dollar=True) == "+$4,745.00"
    assert amount(None) == "unknown"
    assert number(-0.0004, 2, signed=True) == "0.00"
    assert price(Decimal("1.2500")) == "1.25"
    assert price(Decimal("0.00125")) == "0.00125"
    assert price(Decimal("-1.3"), dollar=True) == "−$1.30"
    assert share(0.7123) == "71.2%"
    assert MADE.tzinfo is not None


def workbook(content: bytes) -> dict[str, list[dict[str, tuple[str, str]]]]:
    """Rows of (type, text) by sheet and column, read from the XML; type "s" is text, "" a number."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = [
            sheet.get("name")
            for sheet in ET.fromstring(archive.read("xl/workbook.xml")).iter(f"{space}sheet")
        ]
        for at, name in enumerate(names, start=1):
            root = ET.fromstring(archive.read(f"xl/worksheets/sheet{at}.xml"))
            assert not list(root.iter(f"{space}f"))
            assert not list(root.iter(f"{space}hyperlink"))
            found[str(name)] = [
                {
                    str(cell.get("r")).rstrip("0123456789"): (cell.get("t", ""), "".join(cell.itertext()))
                    for cell in row
                }
                for row in root.iter(f"{space}row")
            ]
    return found


def column(book, sheet: str, name: str) -> list[tuple[str, str]]:
    """The filled cells below a heading."""
    letter = next(letter for letter, (_, text) in book[sheet][0].items() if text == name)
    return [row[letter] for row in book[sheet][1:] if letter in row]


def test_the_workbook_holds_the_tables_of_the_csv_with_numbers_as_numbers(data: ReportData) -> None:
    book, flat = workbook(render(data, "xlsx")), tables(render(data, "csv"))
    assert {f"{name}.csv" for name in book} == set(flat)
    for name, rows in book.items():
        assert len(rows) - 1 == len(flat[f"{name}.csv"])
    premiums = column(book, "fills", "premium")
    assert {kind for kind, _ in premiums} <= {"", "n"}
    wanted = sum(float(row["premium"]) for row in flat["fills.csv"] if row["premium"])
    assert sum(float(text) for _, text in premiums) == pytest.approx(wanted)


@pytest.mark.parametrize(
    "text", ["=1+1", '+cmd|" /C calc"!A0', "-2", "@x", "\t=1", "http://example.org", "{=1}"]
)
def test_texts_in_the_workbook_are_never_formulas_or_links(data: ReportData, text: str) -> None:
    book = workbook(render(renamed(data, text), "xlsx"))
    for kind, said in column(book, "fills", "position"):
        assert kind in {"inlineStr", "s", "str"}
        assert said.lstrip("'").strip() == text.strip()


def test_print_says_where_the_result_came_from_and_which_rules_were_in_force(data: ReportData) -> None:
    text = pdf_text(render(data, "pdf"))
    for words in ("P&L attribution", "Performance", "Closed positions in figures", "Capital"):
        assert words in text
    assert data.header.ruleset in text.replace("\n", " ")


def test_long_lists_name_positions_by_their_number(data: ReportData) -> None:
    long = many_fills(data, 1200)
    text = pdf_text(render(long, "pdf"))
    assert "Positions by their number" in text
    for at, trade in enumerate(long.trades, start=1):
        assert f"#{at} {trade.label}"[:20] in text.replace("\xa0", " ")
