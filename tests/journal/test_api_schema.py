"""The schema is generated without a warning, so that every route is described as it is."""

from __future__ import annotations

from io import StringIO

from django.core.management import call_command


def test_the_schema_has_no_warnings() -> None:
    out = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    assert "/api/v1/trades/{id}/review/" in out.getvalue()
