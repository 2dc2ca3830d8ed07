"""Market files bent at random: each is read or refused by name, never a crash."""

from __future__ import annotations

# ruff: noqa: E501 - the samples are as downloaded
import gzip
import json
import random
import re

import pytest
from django.utils import timezone

from hedging.models import IngestRun
from hedging.providers.formats.detect import parse_market_file
from hedging.providers.formats.tables import MarketFileError
from hedging.selectors.history import market_history
from hedging.selectors.market import sources
from hedging.selectors.quality import quality_findings
from hedging.services.market.load import market_file_load

SAMPLES: dict[str, bytes] = {
    "VIX_History.csv": b"DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,13,14,12,13.2\n01/03/2024,13,14,12,13.5\n",
    "spx.csv": b"date,open,high,low,close\n2024-01-02,1,2,1,2\n2024-01-03,2,3,2,3\n",
    "breadth.csv": b"date,advances,declines\n2024-01-02,10,20\n",
    "shiller.csv": b"date,P,D,E,CPI,Rate GS10,CAPE\n2024-01,4800,70,190,308,4.0,32\n",
    "DTB3.csv": b"observation_date,DTB3\n2024-01-02,5.2\n2024-01-03,.\n",
    "vintages.csv": b"observation_date,GDPC1_20240125,GDPC1_20240228\n2023-10-01,22672.8,22668.9\n",
    "events.csv": b"date,event,detail,ref_period,time_et,source,fixed\n2024-02-13,cpi,x,January 2024,08:30,b,0\n",
    "consensus.csv": b"date,ref_month,cpi_yoy_actual,cpi_yoy_forecast,cpi_yoy_previous\n2024-02-13,Jan,3.1%,2.9%,3.4%\n",
    "final.csv": b"Symbol,SettlementMonth,SettlementYear,SettlementPrice\nVX,1,2012,23.64\n",
    "sessions.csv": b"date,early_close\n2024-01-02,0\n",
    "term.csv": b"date,m1,m2,m1_expiry\n2024-01-02,14,15,2024-01-17\n",
    "vx.csv": b"date,expiry,settle,volume,open_interest\n2024-01-02,2024-01-17,14.3,100,1000\n",
    "VX_2024-01-17.csv": b"Trade Date,Futures,Open,High,Low,Close,Settle,Change,Total Volume,EFP,Open Interest\n"
    b"2024-01-09,F (Jan 2024),13.8,14.0,13.6,13.9,13.875,0,100,0,5000\n",
    "settlement_2024-01-09.csv": b"Product,Symbol,Expiration Date,Price\nVX,VX/F4,2024-01-17,13.8750\n",
    "chain.csv": b"date,spot,root,expiration,type,strike,bid,ask\n2024-01-05,4697,SPXW,2024-01-19,C,4700,20,21\n",
    "quotedata.dat": b"^SPX (S&P 500 INDEX),2926.17,-7.51,\nApr 26 2019 @ 14:54 ET,Bid,1,Ask,2,Size,1x1,Vol,0,\n"
    b"Expiration Date,Calls,Last Sale,Net,Bid,Ask,Vol,IV,Delta,Gamma,Open Int,Strike,Puts,Last Sale,Net,Bid,Ask,"
    b"Vol,IV,Delta,Gamma,Open Int\n05/17/2019,SPX190517C02900000,50.1,0,49.8,50.4,10,0.11,0.62,0.004,100,2900.00,"
    b"SPX190517P02900000,20.5,0,20.3,20.8,12,0.12,-0.38,0.004,90\n",
    "_SPX.json": json.dumps(
        {
            "timestamp": "2026-11-20 21:30:12",
            "data": {
                "current_price": 6700.5,
                "options": [{"option": "SPXW261218C06900000", "bid": 20.1, "ask": 20.5, "iv": 0.1}],
            },
        }
    ).encode(),
}  # fmt: skip
PIECES = (
    b"", b",", b"\n", b'"', b"-", b"\x00", b"\xff", b"9999-12-31", b"0001-01-01", b"1e9", b"1e99", b"NaN", b"inf",
    b"99999999999999999999", b"-1", b"0", b"13/45/2024", b"null", b"[]", b"{}", b"\r", b"\xef\xbb\xbf", b"=1+1",
    "\u0661".encode(), b"x" * 500, b"Feb", b"25:61", b"2024-02-30", b"SPXW", b"1_000", b" ", b"\x1f\x8b",
)  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_itself_is_read(name: str) -> None:
    assert parse_market_file(name, SAMPLES[name]).rows_read >= 1


def bent(rng: random.Random, data: bytes) -> bytes:
    """The file with some bytes or whole cells replaced, rarely zipped and cut."""
    for _ in range(rng.randint(1, 3)):
        if rng.random() < 0.5:
            cells = re.split(rb"([,\n])", data)
            cells[rng.randrange(0, len(cells), 2)] = rng.choice(PIECES)
            data = b"".join(cells)
        else:
            start = rng.randrange(len(data) + 1)
            end = min(len(data), start + rng.choice((0, 1, 3, 8)))
            data = data[:start] + rng.choice(PIECES) + data[end:]
    return gzip.compress(data)[: rng.randint(5, 200)] if rng.random() < 0.05 else data


@pytest.mark.parametrize("name", SAMPLES)
def test_a_bent_file_is_read_or_refused(name: str) -> None:
    rng = random.Random(name)
    refused = 0
    for _ in range(400):
        try:
            parse_market_file(name, bent(rng, SAMPLES[name]))
        except MarketFileError:
            refused += 1
    assert 50 < refused < 400


@pytest.mark.django_db
@pytest.mark.parametrize("name", SAMPLES)
def test_a_bent_file_is_stored_whole_or_not_at_all(name: str) -> None:
    rng = random.Random(f"store {name}")
    for _ in range(25):
        before = IngestRun.objects.count()
        try:
            market_file_load(name=name, data=bent(rng, SAMPLES[name]))
        except MarketFileError:
            assert IngestRun.objects.count() == before
        else:
            assert IngestRun.objects.count() == before + 1
    market_history()
    quality_findings(now=timezone.now())
    sources(now=timezone.now())
