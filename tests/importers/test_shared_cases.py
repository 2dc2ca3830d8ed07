"""Small files in shapes traders really have: what each must come to, or the sentence that helps."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from journal.importers.order_text import OrderTextError, parse_order
from journal.models import ImportBatch, Trade, TradeLink
from journal.services.imports.commit import import_commit
from journal.services.imports.stage import import_upload
from tests.journal.people import make_account, make_user

pytestmark = pytest.mark.django_db
CONDOR = "1 × SPXW iron condor 6480/6500 P – 6580/6600 C"


@pytest.fixture
def cases(data_dir: Path) -> Path:
    folder = data_dir.parent / "cases" / "imports"
    if not folder.is_dir():
        pytest.skip(f"the shared cases are not in {folder}")
    return folder


def imported(cases: Path, name: str, zone: str = "") -> ImportBatch:
    user = make_user("ann")
    account = make_account(user, fee_per_option=Decimal(0))
    batch = import_upload(
        user=user, account=account, filename=name, data=(cases / name).read_bytes(), zone=zone, encoding="",
        inline=True,
    )  # fmt: skip
    if batch.state == ImportBatch.State.STAGED:
        batch = import_commit(user=user, batch=batch, inline=True)
    return batch


@pytest.mark.parametrize(
    ("name", "trades"),
    [
        ("09_semicolon_excel.csv", [(CONDOR, "open", "392.92")]),
        ("21_flex_date_4_mon.xml", [(CONDOR, "open", "395.40")]),
        ("22_flex_settle_stmtfunds_no_id.xml", [(CONDOR, "closed", "-33.60")]),
        ("23_flex_trade_confirm.xml", [(CONDOR, "open", "395.40")]),
        ("25_flex_csv.csv", [(CONDOR, "open", "395.40")]),
        ("30_tos_tosweb_prefix.csv", [(CONDOR, "closed", "290.24")]),
        ("31_tos_tda_era_expiry.csv", [("−1 × SPXW 3800/3780 put spread", "closed", "197.56")]),
        (
            "32_tos_excel_resaved_refs.csv",
            [
                (CONDOR, "open", "395.12"),
                ("1 × SPXW iron condor 6380/6400 P – 6680/6700 C", "open", "495.12"),
                ("−1 × SPXW 6400/6380 put spread", "open", "97.56"),
            ],
        ),
        (
            "33_tos_vert_roll_no_history.csv",
            [
                ("−1 × SPXW 6580/6600 call spread", "closed", "220.12"),
                ("−1 × SPXW 6620/6640 call spread", "open", "22.56"),
            ],
        ),
        ("73_fidelity_expired_assigned.csv", [("−1 × SPXW 6580/6600 call spread", "closed", "-231.44")]),
    ],
)
def test_the_trades_of_a_file(cases: Path, name: str, trades: list[tuple[str, str, str]]) -> None:
    batch = imported(cases, name)
    found = Trade.objects.filter(account=batch.account).order_by("opened_at")
    assert [(t.label.partition(" · ")[0], t.status, str(round(t.realized, 2))) for t in found] == trades
    assert not batch.rows.filter(status="error").exists()


def test_a_zone_beside_the_time_wins_over_the_account_s(cases: Path) -> None:
    batch = imported(cases, "21_flex_date_6_edt.xml", zone="Europe/Berlin")
    opened = Trade.objects.get(account=batch.account).opened_at
    assert opened is not None
    assert opened.isoformat() == "2025-09-10T14:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("17_tasty.xlsx", "Excel workbook"),
        ("40_fidelity_two_accounts.csv", "several accounts (…2222, …1111)"),
        ("63_flex_summary_only.xml", "choose Executions"),
    ],
)
def test_a_file_that_cannot_be_taken_says_what_to_send(cases: Path, name: str, words: str) -> None:
    batch = imported(cases, name)
    assert batch.state == ImportBatch.State.REFUSED
    assert words in batch.problem["message"]
    assert not Trade.objects.filter(account=batch.account).exists()


def test_a_position_transferred_in_asks_for_its_opening_price(cases: Path) -> None:
    batch = imported(cases, "55_tasty_acat_option.csv")
    asked = batch.rows.get(status="error")
    assert "say the price it was opened at" in asked.message
    assert not Trade.objects.filter(account=batch.account, net_cash=-200).exists()


def test_one_wing_that_moves_on_is_no_full_roll(cases: Path) -> None:
    batch = imported(cases, "04_tasty_single_wing_roll.csv")
    link = TradeLink.objects.get(account=batch.account)
    assert link.kind == TradeLink.Kind.WING_ROLL
    results = Trade.objects.filter(account=batch.account).order_by("opened_at")
    assert [str(round(trade.realized, 2)) for trade in results] == ["-8.62", "244.92"]


def test_order_strings_of_platforms(cases: Path) -> None:
    for line in (cases / "order_strings.txt").read_text().splitlines():
        text, arrow, right = (part.strip() for part in line.partition("=>"))
        if not arrow:
            continue
        if right.startswith("refused"):
            with pytest.raises(OrderTextError, match="never sold for a debit"):
                parse_order(text)
            continue
        order = parse_order(text)
        legs = [(f"{quantity:+d}", f"{spec.symbol[12]}{spec.strike:g}") for spec, quantity in order.legs]
        for quantity, contract in legs:
            assert f"{quantity} {contract}" in right, (text, legs)
        assert f"{order.signed_price:+.2f}" in right
