"""An export as large as one may be, read into an empty login: ``python -m bench own_data [--sqlite]``.

A tastytrade history is recorded and exported by the site's jobs; another login reads the export in, in a
process that does nothing else. Both logins' data are equal at the end, or the job fails; the limit is
512 MiB.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

#: Of a broker file; exported they come close to the 96 MiB of rows that are read back.
ROWS = 85_000
LIMIT_MIB = 512


def main(arguments: list[str] | None = None) -> int:
    """Print what reading took; 1 when the limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench own_data", description="A large export.")
    parser.add_argument("--sqlite", action="store_true", help="SQLite in place of PostgreSQL")
    parser.add_argument(
        "--rows", type=int, default=ROWS, help=f"rows of the broker file, {ROWS:,} by default"
    )
    options = parser.parse_args(arguments)
    from bench.servers import site

    site(sqlite=options.sqlite)
    from django.db import connections

    connections.close_all()
    print(f"{'SQLite' if options.sqlite else 'PostgreSQL'}, load {os.getloadavg()[0]:.2f}")
    _alone(_make, options.rows)
    return _alone(_read)


def _alone(run: Any, *arguments: Any) -> int:
    """Run in a process of its own, so that its memory is its own."""
    process = multiprocessing.get_context("spawn").Process(target=run, args=arguments)
    process.start()
    process.join()
    if run is _make and process.exitcode:
        raise RuntimeError("the export was not made")
    return process.exitcode or 0


def _make(rows: int) -> None:
    """Record a history, export it, and ask for it to be read into another login."""
    import logging

    import django

    logging.disable(logging.INFO)
    django.setup()
    from bench.imports import recorded
    from hedging.jobs.engine import job_run
    from hedging.models import Job
    from journal.models import DataTransfer, User
    from journal.services.own_data.export import export_request
    from journal.services.own_data.load import import_request

    user = User.objects.create_user("bench", "bench@example.org")
    recorded(user, rows)
    job = export_request(user=user, token="bench")
    job_run(job.pk)
    job.refresh_from_db()
    if job.state != Job.State.DONE:
        raise RuntimeError(job.error)
    content = bytes(DataTransfer.objects.get(pk=job.result["transfer_id"]).content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist()}
    size = sum(size for name, size in sizes.items() if name.startswith("data/"))
    print(f"export of {len(content) / 2**20:.1f} MiB, {size / 2**20:.1f} MiB of rows")
    reader = User.objects.create_user("reader", "reader@example.org")
    import_request(user=reader, name="export.zip", content=content)


def _read() -> None:
    import logging

    import django

    logging.disable(logging.INFO)
    django.setup()
    from bench.imports import peak_mib, timed
    from hedging.jobs.engine import job_run
    from hedging.models import Job
    from journal import job_handlers  # noqa: F401 - registers them
    from journal.job_kinds import DATA_IMPORT

    job = Job.objects.get(kind=DATA_IMPORT)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = peak_mib()
    timed("read in", lambda: job_run(job.pk))
    job.refresh_from_db()
    if job.state != Job.State.DONE:
        raise RuntimeError(job.error)
    print(f"{sum(job.result['counts'].values()):,} rows, digest {job.result['digest'][:12]} as exported")
    peak = peak_mib()
    met = "met" if peak <= LIMIT_MIB else "MISSED"
    print(f"peak memory {peak:.0f} MiB ({before:.0f} before), limit {LIMIT_MIB}: {met}")
    sys.exit(int(peak > LIMIT_MIB))


if __name__ == "__main__":
    sys.exit(main())
