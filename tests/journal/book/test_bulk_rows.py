"""Rows written past the ORM are the rows the ORM would have written."""

from __future__ import annotations

import gc
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from hedging.engine.book import ContractSpec, Right
from hedging.engine.instruments import option_contract
from hedging.models import Contract
from hedging.services.bulk import collector_paused, objects_insert
from hedging.services.snapshots.contracts import contract_spec, contracts_get_or_create
from journal.models import Fill
from tests.journal.people import EXPIRY, FILLED, make_people, open_condor

pytestmark = pytest.mark.django_db


def test_inserted_objects_read_back_like_created_ones() -> None:
    people = make_people()
    trade = open_condor(people)
    contract = Contract.objects.first()
    assert contract is not None

    def fills(source: str) -> list[Fill]:
        notes = ("", 'tab\tquote" back\\slash \\N\nnext line', "žluťoučký \U0001f40e")
        return [
            Fill(
                account=people.account, trade=trade, contract=contract, quantity=-number, price=price,
                fees=Decimal("1.3"), executed_at=FILLED, trade_date=FILLED.date(), source=source,
                external_id=f"{number}", note=note, created_by=None if number == 1 else people.owner,
            )
            for number, (note, price) in enumerate(
                zip(notes, map(Decimal, ("0", "12.345678", "1E+3")), strict=True), start=1
            )
        ]  # fmt: skip

    before = timezone.now()
    Fill.objects.bulk_create(fills("created"))
    objects_insert(fills("inserted"))
    objects_insert([])
    apart = {"id", "source", "created_at"}
    names = [field.attname for field in Fill._meta.concrete_fields if field.name not in apart]
    created, inserted = (
        list(Fill.objects.filter(source=source).order_by("external_id").values_list(*names))
        for source in ("created", "inserted")
    )
    assert created == inserted
    assert len(inserted) == 3
    stamps = list(Fill.objects.filter(source="inserted").values_list("created_at", flat=True))
    assert all(before <= stamp <= timezone.now() for stamp in stamps)


def test_contracts_are_made_once_and_all_have_their_keys() -> None:
    specs = [option_contract("SPXW", EXPIRY, Right.PUT, Decimal(6000 + 5 * n)) for n in range(700)]
    first = contracts_get_or_create(specs=specs[:300])
    found = contracts_get_or_create(specs=specs)
    assert {symbol: one.pk for symbol, one in found.items()} == dict(
        Contract.objects.values_list("symbol", "pk")
    )
    assert all(found[symbol].pk == one.pk for symbol, one in first.items())
    assert [contract_spec(found[spec.symbol]) for spec in specs] == specs


@pytest.mark.django_db(transaction=True)
def test_contracts_made_by_several_at_once_are_made_once() -> None:
    specs = [option_contract("SPXW", EXPIRY, Right.PUT, Decimal(6000 + 5 * n)) for n in range(600)]
    together, keys = threading.Barrier(4), []

    def make(own: list[ContractSpec]) -> None:
        try:
            together.wait(30)
            keys.append({name: one.pk for name, one in contracts_get_or_create(specs=own).items()})
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=(specs[at * 50 : at * 50 + 400],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = dict(Contract.objects.values_list("symbol", "pk"))
    assert len(keys) == 4
    assert all(found.items() <= stored.items() for found in keys)
    assert len(stored) == 550


def test_the_collector_runs_again_also_after_an_error() -> None:
    assert gc.isenabled()
    seen = []

    @collector_paused()
    def work() -> None:
        with collector_paused():
            pass
        seen.append(gc.isenabled())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert seen == [False]
    assert gc.isenabled()
