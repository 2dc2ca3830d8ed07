"""``manage.py advise`` on accounts and book files, ``manage.py replay`` on a folder of history."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hedging.engine.book_json import BookError, book_document, book_read
from hedging.engine.policy.types import Advice, advice_hash
from hedging.engine.rulesets.document import ruleset_document
from hedging.engine.rulesets.presets import DEFAULT, preset
from hedging.services.market.load import market_path_load
from journal.management.commands import advise as command
from journal.services.governance.rulesets import ruleset_draft
from tests.journal.people import make_people
from tests.policy.worlds import book, condor, hedge

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(command.Command(), *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def chains(data_dir: Path) -> None:
    market_path_load(path=data_dir / "chains" / "raw" / "spx_quotedata_20240105.csv.gz")


def test_a_book_file_becomes_ladder_trace_and_recommendations(chains: None, tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    legs = [("P04415000", 2), ("P04465000", -2), ("C04890000", -2), ("C04940000", 2)]
    trade = {
        "trade_id": "c1", "role": "condor", "cash": 2160.0,
        "legs": [{"symbol": f"SPXW  240216{s}", "quantity": q, "entry_price": 10.0} for s, q in legs],
    }  # fmt: skip
    file.write_text(json.dumps({"account_id": "a", "capital": 250_000, "trades": [trade]}))
    text = run("--book", str(file), "--as-of", "2024-01-05")
    assert text.index("LADDER") < text.index("LAYER GATES") < text.index("RECOMMENDATIONS")
    assert "not investment advice" in text
    found = Advice.from_json(json.loads(run("--book", str(file), "--as-of", "2024-01-05", "--json")))
    assert found.inputs.account_id == "a"
    assert found.hash == advice_hash(found)
    assert found.candidates[0].order.text.startswith("SELL")


def test_an_account_is_named_by_id_or_name(chains: None) -> None:
    people = make_people()
    by_name = run("Main", "--as-of", "2024-01-05", "--json")
    assert json.loads(by_name)["inputs"]["account_id"] == str(people.account.pk)
    assert run(str(people.account.pk), "--as-of", "2024-01-05", "--json") == by_name
    given = json.loads(by_name)["inputs"]
    assert (given["margin_limit"], given["second_engine"]) == (0.5, 0.0)
    assert given["ruleset_hash"] == preset(DEFAULT).hash


def test_an_account_s_active_rules_count_unless_others_are_named(chains: None) -> None:
    people = make_people()
    other = {**ruleset_document(preset("neutral-cndr")), "status": "draft"}
    version = ruleset_draft(user=people.owner, account=people.account, document=other)
    version.status, version.active_from = version.Status.ACTIVE, timezone.now()
    version.save(update_fields=["status", "active_from"])
    active = json.loads(run("Main", "--as-of", "2024-01-05", "--json"))
    assert active["inputs"]["ruleset"] == "neutral-cndr"
    named = json.loads(run("Main", "--as-of", "2024-01-05", "--json", "--ruleset", DEFAULT))
    assert named["inputs"]["ruleset"] == DEFAULT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give an account, or a file with --book"),
        (("Main", "--book", "x.json"), "give an account, or a file with --book"),
        (("Nobody",), "no account is named 'Nobody'"),
        (("--book", "/nowhere/x.json"), "x.json cannot be read: No such file"),
        (("--book", "{}", "--as-of", "2024-01-05"), "book.json: capital: must be a number"),
        (("Main", "--as-of", "2024-01-05"), "no market data are stored for 2024-01-05 or before"),
        (("Main", "--ruleset", "nope"), "no ruleset is named 'nope'"),
    ],
)
def test_bad_words_are_refused_by_name(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    make_people()
    file = tmp_path / "book.json"
    file.write_text("{}")
    given = [str(file) if word == "{}" else word for word in words]
    with pytest.raises(CommandError, match=message):
        run(*given)


def test_a_book_goes_through_json_and_back() -> None:
    one = book(condor(), hedge(1, 3), hedge(3, 2, "VX/2026-02-18", 19.5))
    assert book_read(json.dumps(book_document(one))) == one


def document(**changes: Any) -> dict[str, Any]:
    leg = {"symbol": "VIX   260218C00022000", "quantity": 1, "entry_price": 1.5}
    trade: dict[str, Any] = {"trade_id": "h", "role": "hedge_layer", "layer": 1, "legs": [leg]}
    trade |= {key: value for key, value in changes.items() if key in {"role", "layer", "cash", "legs"}}
    leg |= {key: value for key, value in changes.items() if key in {"symbol", "quantity", "entry_price"}}
    return {"capital": changes.get("capital", 1000), "trades": changes.get("trades", [trade])}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capital": 0}, "capital: must be above zero"),
        ({"capital": "lots"}, "capital: must be a number"),
        ({"trades": {}}, "trades: must be a list"),
        ({"trades": [1]}, r"trades\[0\]: must be an object"),
        ({"role": "hope"}, r"trades\[0\].role: must be one of"),
        ({"layer": 4}, r"trades\[0\].layer: must be 1, 2 or 3"),
        ({"layer": None}, r"trades\[0\].layer: a hedge belongs"),
        ({"symbol": "TSLA"}, r"trades\[0\].legs\[0\].symbol: 'TSLA' is neither"),
        ({"quantity": 0}, r"trades\[0\].legs\[0\].quantity: must be a whole number"),
        ({"quantity": 1.5}, r"trades\[0\].legs\[0\].quantity: must be a whole number"),
        ({"entry_price": -1}, r"trades\[0\].legs\[0\].entry_price: must not be negative"),
        ({"cash": float("nan")}, r"trades\[0\].cash: must be a number"),
    ],
)
def test_a_bad_book_is_refused_by_its_place(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BookError, match=message):
        book_read(json.dumps(document(**changes)))


def test_two_trades_of_one_id_are_refused() -> None:
    twice = document()["trades"] * 2
    with pytest.raises(BookError, match="the id 'h' is there twice"):
        book_read(json.dumps(document(trades=twice)))
    with pytest.raises(BookError, match="line 1, column 2"):
        book_read("{")


def test_a_replay_prints_a_line_a_day_a_summary_a_year_and_a_trace(data_dir: Path) -> None:
    out = StringIO()
    call_command(
        "replay", "--from", "2017-12-27", "--to", "2018-01-04", "--data", str(data_dir / "market"),
        "--days", "--trace", "2018-01-03", stdout=out,
    )  # fmt: skip
    text = out.getvalue()
    assert "2017-12-27 to 2017-12-29: 3 sessions" in text
    assert "2018-01-02 to 2018-01-04: 3 sessions" in text
    assert text.count("LAYER GATES") == 1
    with pytest.raises(CommandError, match="is after"):
        call_command("replay", "--from", "2018-01-04", "--to", "2018-01-03")
    with pytest.raises(CommandError, match="no session of this period"):
        call_command("replay", "--from", "2018-01-06", "--to", "2018-01-07", stdout=out)


def rules(*words: str) -> str:
    out = StringIO()
    call_command("ruleset", *words, stdout=out)
    return out.getvalue()


def test_gov_1_stored_versions_are_listed_shown_compared_and_validated() -> None:
    people = make_people()
    assert "no version is stored" in rules("--account", "Main", "list")
    document = ruleset_document(preset(DEFAULT))
    document["parameters"]["condor.dte"] = {"base": 50, "source": "user", "requirement": "CON-1"}
    version = ruleset_draft(
        user=people.owner, account=people.account, document={**document, "status": "draft"}
    )
    listed = rules("--account", "Main", "list")
    assert f"{version.content_hash[:12]}  draft" in listed
    (row,) = json.loads(rules("--account", str(people.account.pk), "list", "--json"))
    assert (row["id"], row["hash"], row["active_from"]) == (str(version.pk), version.content_hash, None)
    for name in (str(version.pk), version.content_hash[:12]):
        assert "condor.dte                     50 calendar days  [user CON-1]" in rules("show", name)
        assert rules("diff", DEFAULT, name) == ("condor.dte\n  - 45 [S4 CON-1]\n  + 50 [user CON-1]\n")
        assert rules("validate", name).endswith(f"{version.content_hash}\n")
    # its name is the preset's: only with the account it means the stored version
    assert "45 calendar days" in rules("show", DEFAULT)
    assert "50 calendar days" in rules("--account", "Main", "show", DEFAULT)
    with pytest.raises(CommandError, match="no ruleset is named"):
        rules("show", "0" * 12)
    with pytest.raises(CommandError, match="no account is named"):
        rules("--account", "Nowhere", "list")


def test_advise_takes_a_stored_version(chains: None) -> None:
    people = make_people()
    other = {**ruleset_document(preset("neutral-cndr")), "status": "draft", "title": "Mine"}
    version = ruleset_draft(user=people.owner, account=people.account, document=other)
    named = json.loads(run("Main", "--as-of", "2024-01-05", "--json", "--ruleset", version.content_hash[:10]))
    assert named["inputs"]["ruleset_hash"] == version.content_hash
