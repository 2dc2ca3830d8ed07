"""Labels of stored trades, spelled again from their fills after the words of a version changed."""

from __future__ import annotations

from journal.models import Trade
from journal.services.book.ledger import trade_derive


def labels_refresh() -> int:
    """Spell the label of every trade again; returns how many changed. Nothing else of a trade is touched."""
    changed = 0
    for trade in Trade.objects.prefetch_related("fills__contract").iterator(chunk_size=500):
        before = trade.label
        after = trade_derive(trade, list(trade.fills.all())).label
        if after != before:
            changed += Trade.objects.filter(pk=trade.pk, label=before).update(label=after)
    return changed
