"""What a stored report says can never be changed; only who asked for it may be forgotten."""

from django.db import migrations

COLUMNS = "account_id, job_id, format, date_from, date_to, as_of, filename, content, sha256, created_at"
SQLITE_UP = [
    f"""CREATE TRIGGER report_no_update BEFORE UPDATE OF {COLUMNS} ON journal_report
        BEGIN SELECT RAISE(ABORT, 'stored reports cannot be changed'); END""",
]
SQLITE_DOWN = ["DROP TRIGGER report_no_update"]
POSTGRES_UP = [
    """CREATE FUNCTION report_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         RAISE EXCEPTION 'stored reports cannot be changed' USING ERRCODE = 'restrict_violation';
       END $$""",
    f"""CREATE TRIGGER report_no_update BEFORE UPDATE OF {COLUMNS} ON journal_report
        FOR EACH ROW EXECUTE FUNCTION report_refuse()""",
]
POSTGRES_DOWN = ["DROP TRIGGER report_no_update ON journal_report", "DROP FUNCTION report_refuse()"]


def _run(schema_editor, sqlite, postgres):
    statements = sqlite if schema_editor.connection.vendor == "sqlite" else postgres
    for statement in statements:
        schema_editor.execute(statement)


def protect(apps, schema_editor):
    _run(schema_editor, SQLITE_UP, POSTGRES_UP)


def unprotect(apps, schema_editor):
    _run(schema_editor, SQLITE_DOWN, POSTGRES_DOWN)


class Migration(migrations.Migration):
    dependencies = [("journal", "0002_audit_triggers")]
    operations = [migrations.RunPython(protect, unprotect)]
