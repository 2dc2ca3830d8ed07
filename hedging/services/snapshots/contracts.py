"""Between stored contracts and the engine's specification of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import IntegrityError, transaction

from hedging.engine.book import ContractSpec, InstrumentKind, Settlement
from hedging.maths.types import Right
from hedging.models import Contract
from hedging.services.bulk import rows_insert

_CHUNK = 500
_FIELDS = ("kind", "root", "underlying", "expiry", "strike", "right", "multiplier", "settlement")
_LETTER = {Right.CALL: "C", Right.PUT: "P", None: ""}
_RIGHT = {"C": Right.CALL, "P": Right.PUT, "": None}


def contract_get_or_create(*, spec: ContractSpec) -> Contract:
    """The stored row of a contract, made on first use; safe under concurrency."""
    contract, _ = Contract.objects.get_or_create(symbol=spec.symbol, defaults=_fields(spec))
    return contract


def contracts_get_or_create(*, specs: Iterable[ContractSpec]) -> dict[str, Contract]:
    """Rows of many contracts by symbol, in a few queries."""
    wanted = {spec.symbol: spec for spec in specs}
    found = _stored(list(wanted))
    absent = sorted(
        wanted.keys() - found.keys()
    )  # in one order, so that two makers never wait for each other
    missing = [Contract(symbol=symbol, **_fields(wanted[symbol])) for symbol in absent]
    if missing:
        _add(missing)
        for start in range(0, len(missing), _CHUNK):
            chunk = {contract.symbol: contract for contract in missing[start : start + _CHUNK]}
            for symbol, pk in Contract.objects.filter(symbol__in=chunk).values_list("symbol", "pk"):
                chunk[symbol].pk = pk
            found |= chunk
    return found


def _add(contracts: Sequence[Contract]) -> None:
    """Store contracts in bulk; those that somebody else stored meanwhile are left as they are."""
    names = ("symbol", *_FIELDS)
    try:
        with transaction.atomic():
            rows_insert(Contract, names, map(attrgetter(*names), contracts))
    except IntegrityError:
        Contract.objects.bulk_create(contracts, ignore_conflicts=True, batch_size=_CHUNK)


def _stored(symbols: Sequence[str]) -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for start in range(0, len(symbols), _CHUNK):
        chunk = symbols[start : start + _CHUNK]
        found |= {contract.symbol: contract for contract in Contract.objects.filter(symbol__in=chunk)}
    return found


def _fields(spec: ContractSpec) -> dict[str, Any]:
    return {
        "kind": spec.kind.value,
        "root": spec.root,
        "underlying": spec.underlying,
        "expiry": spec.expiry,
        "strike": None if spec.strike is None else Decimal(str(spec.strike)),
        "right": _LETTER[spec.right],
        "multiplier": spec.multiplier,
        "settlement": spec.settlement.value,
    }


def contract_spec(contract: Contract) -> ContractSpec:
    """The engine's view of a stored contract."""
    return ContractSpec(
        symbol=contract.symbol,
        kind=InstrumentKind(contract.kind),
        root=contract.root,
        underlying=contract.underlying,
        multiplier=contract.multiplier,
        expiry=contract.expiry,
        strike=None if contract.strike is None else float(contract.strike),
        right=_RIGHT[contract.right],
        settlement=Settlement(contract.settlement),
    )
