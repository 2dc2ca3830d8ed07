"""``manage.py chain_greeks``: figures against the vendor's, file and summary, and clear errors."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from hedging.providers.formats.detect import parse_market_file
from hedging.services.snapshots.chain_greeks import bucket_figures, chains_greeks

DAYS = ("2019-05-01", "2019-05-09", "2019-05-22", "2019-05-31")


@pytest.fixture(scope="module")
def sample(data_dir: Path) -> bytes:
    """Four days of the file, as a file of their own."""
    path = data_dir / "chains" / "spx_chain_cboe_2019_05.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    return (header + "".join(line for line in lines if line.startswith(DAYS))).encode()


def one_day(sample: bytes) -> bytes:
    header, *lines = sample.decode().splitlines(keepends=True)
    near = [x for x in lines if x.startswith(DAYS[0]) and (",2019-05-24," in x or ",2019-05-03," in x)]
    return (header + "".join(near)).encode()


def test_deltas_agree_with_the_vendor_and_smiles_with_the_quotes(sample: bytes) -> None:
    found = chains_greeks(parse_market_file("chain.csv", sample).chains, None, lambda *_: None)
    month = next(row for row in bucket_figures(found) if row["days"] == "7-60")
    assert month["options"] > 8_000
    assert month["delta_median"] <= 0.0005
    assert month["delta_p95"] <= 0.003
    assert month["iv_median"] <= 0.001
    assert month["inside"] >= 0.95


def test_parity_holds_between_the_deltas_of_a_strike(sample: bytes) -> None:
    chains = parse_market_file("chain.csv", one_day(sample)).chains
    found = chains_greeks(chains, None, lambda *_: None).columns
    month = found["days"] > 7
    rows = list(zip(*(found[name][month] for name in ("strike", "delta", "right")), strict=True))
    call, put = ({k: d for k, d, right in rows if right == side} for side in "CP")
    gaps = np.array([call[k] - put[k] for k in call if np.isfinite(call[k])])
    assert len(gaps) > 50
    assert gaps == pytest.approx(found["discount"][month][0], abs=1e-9)


def test_the_command_writes_a_row_an_option_and_a_summary(sample: bytes, tmp_path: Path) -> None:
    source, out = tmp_path / "chain.csv", tmp_path / "greeks.csv"
    source.write_bytes(one_day(sample))
    answer = io.StringIO()
    call_command("chain_greeks", str(source), out=out, json=True, stdout=answer, stderr=io.StringIO())
    report = json.loads(answer.getvalue())
    with out.open(encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))
    assert len(table) == report["options"] == len(source.read_text().splitlines()) - 1
    assert report["quote_times"] == 1
    assert next(row for row in report["by_days"] if row["days"] == "7-60")["inside"] >= 0.95
    worthless = next(row for row in table if row["right"] == "C" and float(row["strike"]) < 1000)
    assert worthless["iv"] == ""  # nothing is bid on the other side: unknown, not zero
    assert worthless["vendor_delta"] != ""
    plain = io.StringIO()
    call_command("chain_greeks", str(source), stdout=plain)
    assert "7-60" in plain.getvalue()


def test_progress_is_told_for_files_of_many_quote_times(sample: bytes, tmp_path: Path) -> None:
    (tmp_path / "chain.csv").write_bytes(sample)
    told = io.StringIO()
    call_command("chain_greeks", str(tmp_path / "chain.csv"), stdout=io.StringIO(), stderr=told)
    assert [line.split(":")[0] for line in told.getvalue().splitlines()] == [f"{i} of 4" for i in range(1, 5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("date,close\n2024-01-02,13.2\n", "no option chain"),
        ("date,root,expiration,type,strike,bid,ask\n2024-01-02,SPX,2024-02-16,X,4700,1,2\n", "line 2"),
        ("date,root,expiration,type,strike,bid,ask\n2024-01-03,SPXW,2024-01-02,C,4700,1,2\n", "had expired"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(tmp_path: Path, text: str | None, message: str) -> None:
    source = tmp_path / "vix_daily.csv"
    if text is not None:
        source.write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("chain_greeks", str(source), out=tmp_path / "out.csv", stdout=io.StringIO())
    assert not list(tmp_path.glob("*out*"))


def test_a_missing_folder_is_named(sample: bytes, tmp_path: Path) -> None:
    source = tmp_path / "chain.csv"
    source.write_bytes(one_day(sample))
    with pytest.raises(CommandError, match="does not exist"):
        call_command("chain_greeks", str(source), out=tmp_path / "no" / "out.csv", stdout=io.StringIO())
