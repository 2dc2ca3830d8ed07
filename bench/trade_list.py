"""Times the list of trades with 5,000 trades: ``python -m bench.trade_list`` on a fresh database.

Prints the 50th and 95th percentile of whole answers (view, template, database) in milliseconds. The
database is that of DATABASE_URL or STATE_DIR; it must be empty of trades.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

COUNT, OPEN, ROUNDS = 5000, 200, 20
ADDRESSES = (
    "/trades/", "/trades/?sort=-pnl", "/trades/?pnl_min=100&status=closed", "/trades/?q=6500&tag=motion",
    "/trades/?page=80", "/trades/?dte_min=5&kind=condor",
)  # fmt: skip


def main() -> None:
    """Make the trades and time the pages."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alvh_site.settings")
    import django

    django.setup()
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.utils import timezone

    from journal.models import Account, Membership, Tag, Tagging, Trade, TradeReview, User

    setup_test_environment()
    user, _ = User.objects.get_or_create(username="bench")
    if Trade.objects.exists():
        raise SystemExit("the database has trades already")
    account = Account.objects.create(name="Bench", broker="none", base_capital=1_000_000)
    Membership.objects.create(account=account, user=user, role="owner")
    now = timezone.now()
    trades = [
        Trade(
            account=account, kind="condor", status="open" if n < OPEN else "closed", underlying="SPX",
            label=f"SPX iron condor 6450/6500/6900/{6950 + n} · 18 Dec 26 PM", fees_total=5,
            net_cash=n - 2500,
            opened_at=now - timedelta(hours=n), closed_at=None if n < OPEN else now - timedelta(hours=n // 2),
            nearest_expiry=(now + timedelta(days=n % 60)).date() if n < OPEN else None,
        )
        for n in range(COUNT)
    ]  # fmt: skip
    Trade.objects.bulk_create(trades, batch_size=500)
    reviews = [TradeReview(account=account, trade=t, rating=n % 5 + 1) for n, t in enumerate(trades)]
    TradeReview.objects.bulk_create(reviews, batch_size=500)
    tag = Tag.objects.create(account=account, name="motion")
    Tagging.objects.bulk_create([Tagging(account=account, tag=tag, review=r) for r in reviews[::3]])
    client = Client()
    client.force_login(user)
    for address in ADDRESSES:
        client.get(address)
        taken = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            assert client.get(address).status_code == 200
            taken.append((time.perf_counter() - start) * 1000)
        taken.sort()
        print(f"{address:45} p50 {taken[ROUNDS // 2]:6.0f} ms  p95 {taken[int(ROUNDS * 0.95) - 1]:6.0f} ms")


if __name__ == "__main__":
    main()
