"""Fetching from the environment: off unless asked for, addresses replaceable, mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from alvh_site.env import Environment, read_environment
from hedging.jobs.kinds import MARKET_FETCH
from hedging.models import Job
from hedging.services.market.fetch import HISTORY, providers
from hedging.tasks import market_fetch, market_retain


def read(tmp_path: Path, **given: str) -> Environment:
    return read_environment({"STATE_DIR": str(tmp_path), **given}, tmp_path)


def test_nothing_is_fetched_unless_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path).market_fetch is False
    assert read(tmp_path, MARKET_FETCH="1").market_fetch is True


def test_addresses_can_be_replaced(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        MARKET_FRED_URL="http://mirror.test/fred/",
        MARKET_CSV_URLS="spx:pcf=https://a.test/x.csv  EEM=http://b.test/y.csv",
    )
    assert found.market_urls["fred"] == "http://mirror.test/fred"
    assert found.market_urls["cboe_quotes"].startswith("https://")
    assert found.market_csv == (("SPX:PCF", "https://a.test/x.csv"), ("EEM", "http://b.test/y.csv"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKET_FRED_URL", "ftp://fred"),
        ("MARKET_CSV_URLS", "https://a.test/x.csv"),
        ("MARKET_CSV_URLS", "EEM=file:///etc/passwd"),
        ("MARKET_FETCH", "perhaps"),
        ("MARKET_TIMEOUT", "soon"),
    ],
)
def test_a_mistake_names_its_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        read(tmp_path, **{name: value})


def test_every_provider_names_different_files() -> None:
    from datetime import date

    every = [wanted for provider in providers() for wanted in provider.wanted(date(2024, 1, 5))]
    assert len({one.key for one in every}) == len(every)
    assert sum(one.group != HISTORY for one in every) == 28
    past = [one for one in every if one.group == HISTORY]
    assert [one.file for one in (past[0], past[-1])] == ["VX_2013-01-16.csv", "VX_2023-11-15.csv"]
    assert all(one.once for one in past), "settled contracts do not change"


@pytest.mark.django_db
def test_the_schedule_asks_once_a_minute_and_retention_runs() -> None:
    market_fetch("quotes")
    market_fetch("quotes")
    assert 1 <= Job.objects.filter(kind=MARKET_FETCH).count() <= 2
    market_retain()
