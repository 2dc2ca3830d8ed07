"""Audit rows cannot be changed; only rows of the demo can be removed."""

from django.db import migrations

SQLITE_UP = [
    """CREATE TRIGGER audit_no_update BEFORE UPDATE ON journal_auditevent
       BEGIN SELECT RAISE(ABORT, 'audit events cannot be changed'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON journal_auditevent WHEN OLD.is_demo = 0
       BEGIN SELECT RAISE(ABORT, 'audit events cannot be deleted'); END""",
]
SQLITE_DOWN = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]

POSTGRES_UP = [
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' AND OLD.is_demo THEN RETURN OLD; END IF;
         RAISE EXCEPTION 'audit events cannot be changed or deleted'
           USING ERRCODE = 'restrict_violation';
       END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON journal_auditevent
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
]
POSTGRES_DOWN = [
    "DROP TRIGGER audit_no_change ON journal_auditevent",
    "DROP FUNCTION audit_refuse()",
]


def _run(schema_editor, sqlite, postgres):
    statements = sqlite if schema_editor.connection.vendor == "sqlite" else postgres
    for statement in statements:
        schema_editor.execute(statement)


def protect(apps, schema_editor):
    _run(schema_editor, SQLITE_UP, POSTGRES_UP)


def unprotect(apps, schema_editor):
    _run(schema_editor, SQLITE_DOWN, POSTGRES_DOWN)


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]
    operations = [migrations.RunPython(protect, unprotect)]
