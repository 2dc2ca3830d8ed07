"""Fetching against a real local server: what is stored, and every fault a source can have."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hedging.jobs.engine import job_run
from hedging.jobs.kinds import MARKET_FETCH
from hedging.models import ChainSnapshot, DailyBar, IngestRun, Job, MarketSource, VXSettlement
from hedging.providers.cfe_vx import CFEContracts, CFESettlements
from hedging.providers.http import LONGEST_WAIT
from hedging.services.locks import LockHeldError, lock_hold
from hedging.services.market.fetch import fetch_request, market_fetch, source_fetch
from tests.hedging.market.source_server import Reply, Sources, serving

pytestmark = pytest.mark.django_db

VIX = "/history/VIX_History.csv"
SPX_CHAIN = "/quotes/_SPX.json"
DTB3 = "/fred?id=DTB3"


def history(days: int = 10, first: float = 15.0) -> bytes:
    """A VIX history of the sessions of January 2024."""
    sessions = [d for d in range(2, 31) if date(2024, 1, d).weekday() < 5 and d != 15][:days]
    rows = "".join(
        f"01/{d:02d}/2024,{first},{first + 1},{first - 1},{first + 0.01 * d:.2f}\n" for d in sessions
    )
    return f"DATE,OPEN,HIGH,LOW,CLOSE\n{rows}".encode()


def chain(root: str = "SPXW") -> bytes:
    def option(right: str, bid: float) -> dict[str, Any]:
        return {
            "option": f"{root}261218{right}06900000", "bid": bid, "ask": bid + 0.5, "iv": 0.12,
            "open_interest": 5, "volume": 1, "delta": 0.2, "gamma": 0.001,
        }  # fmt: skip

    return json.dumps(
        {
            "timestamp": "2026-11-20 21:30:12",
            "data": {
                "symbol": "^SPX",
                "current_price": 6700.5,
                "options": [option("C", 20), option("P", 190)],
            },
        }
    ).encode()


PADDING = b"\n" * 400
FRED = b"observation_date,DTB3\n2024-01-02,5.22\n2024-01-03,.\n2024-01-04,5.24\n"


@pytest.fixture
def sources(settings: Any) -> Iterator[Sources]:
    with serving() as server:
        settings.MARKET_URLS = {
            "cboe_quotes": f"{server.base}/quotes",
            "cboe_history": f"{server.base}/history",
            "cfe_contracts": f"{server.base}/cfe",
            "cfe_settlements": f"{server.base}/settlement",
            "fred": f"{server.base}/fred",
        }
        settings.MARKET_CSV = ()
        settings.MARKET_TIMEOUT = 1
        settings.MARKET_BACKOFF_SECONDS = 0.01
        yield server


def fetch_one(key: str) -> tuple[str, str]:
    """(state, message) of one file."""
    (found,) = market_fetch(names=[key])
    return found.state, found.message


def asked(sources: Sources, path: str) -> list[dict[str, str]]:
    return [headers for where, headers in sources.asked if where == path]


def test_each_provider_stores_what_it_is_asked_for(sources: Sources) -> None:
    sources.answer(VIX, Reply(history()))
    sources.answer(SPX_CHAIN, Reply(chain(), kind="application/json"))
    sources.answer(DTB3, Reply(FRED, kind="application/octet-stream"))
    assert fetch_one("cboe_history/VIX") == ("new", "")
    assert fetch_one("cboe_quotes/SPX") == ("new", "")
    assert fetch_one("fred/DTB3") == ("new", "")
    assert DailyBar.objects.filter(symbol="VIX").count() == 10
    assert ChainSnapshot.objects.get().underlying == "SPX"
    assert DailyBar.objects.filter(symbol="DTB3", published_estimated=True).count() == 2
    row = MarketSource.objects.get(key="cboe_history/VIX")
    assert row.error == ""
    assert row.success_at is not None
    assert row.changed_at is not None
    assert asked(sources, VIX)[0]["user-agent"].startswith("alvh-journal")


def test_an_unchanged_file_is_asked_for_conditionally_and_answered_with_304(sources: Sources) -> None:
    stamp = {"ETag": '"abc"', "Last-Modified": "Fri, 20 Nov 2026 21:00:00 GMT"}
    sources.answer(VIX, Reply(history(), headers=stamp))
    assert fetch_one("cboe_history/VIX")[0] == "new"
    before = MarketSource.objects.get(key="cboe_history/VIX")
    assert fetch_one("cboe_history/VIX")[0] == "unchanged"
    second = asked(sources, VIX)[1]
    assert second["if-none-match"] == '"abc"'
    assert second["if-modified-since"] == stamp["Last-Modified"]
    after = MarketSource.objects.get(key="cboe_history/VIX")
    assert after.success_at is not None
    assert before.success_at is not None
    assert after.success_at > before.success_at
    assert after.changed_at == before.changed_at
    assert IngestRun.objects.count() == 1


def test_the_same_bytes_without_an_etag_make_no_second_run(sources: Sources) -> None:
    sources.answer(VIX, Reply(history()))
    fetch_one("cboe_history/VIX")
    assert fetch_one("cboe_history/VIX")[0] == "unchanged"
    assert IngestRun.objects.count() == 1


def stored_before(sources: Sources) -> None:
    sources.answer(VIX, Reply(history(5)))
    assert fetch_one("cboe_history/VIX")[0] == "new"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Reply(history(), delay=1.6), "no answer within 1 s"),
        (Reply(b"later", 429, headers={"Retry-After": "3600"}), "answered 429"),
        (Reply(b"broken", 500), "answered 500"),
        (Reply(b"denied", 403), "answered 403"),
        (Reply(b"gone", 404), "no such file"),
        (Reply(history(), cut=100), "broke off"),
        (Reply(b"<html>maintenance</html>", kind="text/html"), "sent text/html"),
        (Reply(b"<html>maintenance</html>" + PADDING), "unknown format"),
        (Reply(b"", kind="text/csv"), "empty"),
        (Reply(b"DATE,VVIX\n01/02/2024,85\n" + PADDING), "asked for VIX and sent VVIX"),
        (Reply(history(3)), "cut off"),
        (Reply(b"date,open,high,low,close\n2024-01-02,15,16,14,15\n" + PADDING), "not an index history"),
        (Reply(b"x", 302, headers={"Location": "http://127.0.0.2:9/VIX_History.csv"}), "another host"),
        (Reply(b"x", 302, headers={"Location": "//evil.example/VIX_History.csv"}), "another host"),
        (Reply(b"x", 302, headers={"Location": "file:///etc/passwd"}), "another host"),
        (Reply(b"x", 302, headers={"Location": VIX}), "too many redirects"),
        (Reply(b"x" * 40, headers={"Content-Encoding": "gzip"}), "compression is damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_leaves_the_stored_data_alone_and_is_recorded(
    sources: Sources, fault: Reply, reason: str
) -> None:
    stored_before(sources)
    kept = list(DailyBar.objects.order_by("pk").values_list("date", "close", "superseded_at"))
    good = MarketSource.objects.get(key="cboe_history/VIX")
    sources.answer(VIX, fault)
    state, message = fetch_one("cboe_history/VIX")
    assert state == "failed"
    assert reason in message
    assert list(DailyBar.objects.order_by("pk").values_list("date", "close", "superseded_at")) == kept
    row = MarketSource.objects.get(key="cboe_history/VIX")
    assert (row.failures, row.success_at, row.sha256) == (1, good.success_at, good.sha256)
    assert reason in IngestRun.objects.exclude(error="").get().error
    # The next good answer clears it.
    row.not_before = None
    row.save()
    sources.answer(VIX, Reply(history(10)))
    assert fetch_one("cboe_history/VIX")[0] == "new"
    assert MarketSource.objects.get(key="cboe_history/VIX").failures == 0


def test_a_truncated_json_chain_is_refused_whole(sources: Sources) -> None:
    sources.answer(SPX_CHAIN, Reply(chain()[:-40], kind="application/json"))
    state, message = fetch_one("cboe_quotes/SPX")
    assert (state, "not valid JSON" in message) == ("failed", True)
    assert not ChainSnapshot.objects.exists()


def test_a_chain_on_another_underlying_is_refused(sources: Sources) -> None:
    sources.answer(SPX_CHAIN, Reply(chain("VIXW"), kind="application/json"))
    assert "asked for SPX and sent VIX" in fetch_one("cboe_quotes/SPX")[1]
    assert not ChainSnapshot.objects.exists()


def test_values_of_another_series_under_the_right_name_are_refused(sources: Sources) -> None:
    sources.answer(VIX, Reply(history(20)))
    fetch_one("cboe_history/VIX")
    sources.answer(VIX, Reply(history(20, first=92.0) + b" " * 200))
    assert "another series" in fetch_one("cboe_history/VIX")[1]
    assert not DailyBar.objects.filter(close__gt=50).exists()


def test_a_passing_fault_is_tried_again_after_the_wait_it_asks_for(sources: Sources) -> None:
    sources.answer(VIX, Reply(b"", 503, headers={"Retry-After": "0"}), Reply(b"", 500), Reply(history()))
    assert fetch_one("cboe_history/VIX")[0] == "new"
    assert len(asked(sources, VIX)) == 3


def test_a_long_wait_is_kept_and_the_source_left_alone_until_then(sources: Sources) -> None:
    stored_before(sources)
    later = (datetime.now(UTC) + timedelta(seconds=LONGEST_WAIT * 4)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    sources.answer(VIX, Reply(b"", 429, headers={"Retry-After": later}))
    assert fetch_one("cboe_history/VIX")[0] == "failed"
    assert len(asked(sources, VIX)) == 2
    row = MarketSource.objects.get(key="cboe_history/VIX")
    assert row.not_before is not None
    assert timedelta(seconds=90) < row.not_before - timezone.now() < timedelta(seconds=130)
    assert fetch_one("cboe_history/VIX")[0] == "waiting"
    assert len(asked(sources, VIX)) == 2


def test_the_same_failure_again_is_counted_and_not_listed_again(sources: Sources) -> None:
    sources.answer(VIX, Reply(b"denied", 403))
    for _ in range(3):
        fetch_one("cboe_history/VIX")
    assert MarketSource.objects.get(key="cboe_history/VIX").failures == 3
    assert IngestRun.objects.exclude(error="").count() == 1


def test_a_round_of_silent_sources_ends(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hedging.services.market.fetch.ROUND_SECONDS", -1)
    assert {one.state for one in market_fetch(names=["fred"])} == {"skipped"}
    assert not sources.asked


def test_a_larger_file_than_allowed_is_not_read(sources: Sources) -> None:
    sources.answer(DTB3, Reply(b"observation_date,DTB3\n" + b"2024-01-02,5.2\n" * 400_000))
    assert "larger than" in fetch_one("fred/DTB3")[1]


def test_a_source_that_is_not_there_at_all(sources: Sources, settings: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.MARKET_URLS = {
            **settings.MARKET_URLS,
            "cboe_history": f"http://127.0.0.1:{unused.getsockname()[1]}",
        }
        assert "cannot be reached" in fetch_one("cboe_history/VIX")[1]


def test_contracts_and_settlements_that_are_not_published_yet_are_no_failure(sources: Sources) -> None:
    provider = CFEContracts(f"{sources.base}/cfe")
    wanted = provider.wanted(date(2024, 1, 10))
    assert [w.file for w in wanted[:2]] == ["VX_2023-12-20.csv", "VX_2024-01-17.csv"]
    sources.answer(
        "/cfe/VX_2024-01-17.csv",
        Reply(
            b"Trade Date,Futures,Open,High,Low,Close,Settle,Change,Total Volume,EFP,Open Interest\n"
            b"2024-01-09,F (Jan 2024),13.8,14.0,13.6,13.9,13.875,0,100,0,5000\n"
        ),
    )
    assert [source_fetch(provider=provider, wanted=one).state for one in wanted[:3]] == [
        "absent",
        "new",
        "absent",
    ]
    wrong = source_fetch(provider=provider, wanted=wanted[2])
    assert wrong.state == "absent"
    sources.answer("/cfe/VX_2024-02-14.csv", sources.replies["/cfe/VX_2024-01-17.csv"][0])
    wrong = source_fetch(provider=provider, wanted=wanted[2])
    assert "the contract expires 2024-01-17" in wrong.message


def test_the_past_of_the_curve_is_fetched_when_asked_for_and_each_file_once(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hedging.providers.cfe_vx.FIRST_CONTRACT", date(2025, 10, 1))
    settled = {
        "2025-10-22": b"2025-10-21,V (Oct 2025),20,21,19,20,20.5,0,100,0,5000\n",
        "2025-11-19": b"2025-11-18,X (Nov 2025),21,22,20,21,21.5,0,100,0,5000\n",
    }
    header = b"Trade Date,Futures,Open,High,Low,Close,Settle,Change,Total Volume,EFP,Open Interest\n"
    for expiry, row in settled.items():
        sources.answer(f"/cfe/VX_{expiry}.csv", Reply(header + row))
    sources.answer("/cfe/VX_2025-12-17.csv", Reply(b"Service Unavailable", 503))
    steps: list[tuple[int, int]] = []
    done = market_fetch(names=["history"], progress=lambda at, total, _: steps.append((at, total)))
    told = {one.key.removeprefix("cfe_archive/"): one.state for one in done}
    assert [told[day] for day in (*settled, "2025-12-17")] == ["new", "new", "failed"]
    assert steps == [(at, len(done)) for at in range(len(done))], "a bar can be drawn"
    assert VXSettlement.objects.count() == 2
    sources.asked.clear()
    again = {one.key for one in market_fetch(names=["history"])}
    assert not any(f"cfe_archive/{day}" in again for day in settled), "a settled contract is final"
    assert "cfe_archive/2025-12-17" in again
    every = {one.key for one in market_fetch()}
    assert not any(key in every for key in told), "a round is about the present"


def test_daily_settlements_do_not_wipe_out_volumes_known_from_contract_files(sources: Sources) -> None:
    row = VXSettlement.objects.create(
        source="cfe",
        date=date(2024, 1, 9),
        expiry=date(2024, 1, 17),
        settle="13.875",
        volume=100,
        quality="eod",
    )
    provider = CFESettlements(f"{sources.base}/settlement")
    wanted = provider.wanted(date(2024, 1, 10))[0]
    sources.answer(
        "/settlement?dt=2024-01-09",
        Reply(
            b"Product,Symbol,Expiration Date,Price\nVX,VX/F4,2024-01-17,13.8750\n"
            b"VX,VX/G4,2024-02-14,14.9000\nVXM,VXM/F4,2024-01-17,13.8750\n"
        ),
    )
    found = source_fetch(provider=provider, wanted=wanted)
    assert (found.state, found.new) == ("new", 1)
    row.refresh_from_db()
    assert (row.superseded_at, row.volume) == (None, 100)
    assert VXSettlement.objects.get(expiry=date(2024, 2, 14)).settle == Decimal("14.9")


def test_a_configured_address_is_one_more_source(sources: Sources, settings: Any) -> None:
    settings.MARKET_CSV = (("SPX:PCF", f"{sources.base}/pcf.csv"),)
    sources.answer("/pcf.csv", Reply(b"date,close\n2024-01-02,17.2\n"))
    assert fetch_one("csv_url")[0] == "new"
    assert DailyBar.objects.get().symbol == "SPX:PCF"


def test_only_one_round_runs_at_a_time_and_a_dead_holder_lets_go(sources: Sources) -> None:
    with lock_hold(MARKET_FETCH, seconds=60):
        with pytest.raises(LockHeldError):
            market_fetch(names=["fred"])
        with pytest.raises(CommandError, match="Another fetch is running"):
            call_command("market_fetch", "--source", "fred")
    assert not sources.asked
    with lock_hold(MARKET_FETCH, seconds=-1), lock_hold(MARKET_FETCH, seconds=60):
        pass


def test_the_job_fetches_once_a_slot_and_tells_what_failed(sources: Sources) -> None:
    sources.answer(VIX, Reply(history()))
    job, made = fetch_request(names=["cboe_history"], slot="2026-11-20T18:00", requested_by="u")
    again, made_again = fetch_request(names=["cboe_history"], slot="2026-11-20T18:00")
    assert (made, made_again, again.pk) == (True, False, job.pk)
    assert job_run(job.pk) == Job.State.DONE
    job.refresh_from_db()
    assert job.result["new"] == 10
    assert len(job.result["failed"]) == 5


def test_a_round_in_which_everything_failed_is_a_failed_job(sources: Sources) -> None:
    job, _ = fetch_request(names=["fred"], slot="x")
    assert job_run(job.pk) == Job.State.DEAD
    job.refresh_from_db()
    assert "Nothing could be fetched" in job.error


def test_the_command_tells_each_file_and_fails_when_one_failed(sources: Sources) -> None:
    sources.answer(DTB3, Reply(FRED))
    out = io.StringIO()
    with pytest.raises(CommandError, match="7 of 8 files could not be fetched"):
        call_command("market_fetch", "--source", "fred", stdout=out)
    assert "fred/DTB3: new, 2 new" in out.getvalue()
    assert "fred/SOFR: failed (the source has no such file (404))" in out.getvalue()
