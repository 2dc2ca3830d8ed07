"""What was signed or decided can never be changed; only people may be forgotten, and states move on."""

from django.db import migrations

FROZEN = {
    "journal_rulesetversion": "account_id, name, title, document, content_hash, parent_id, created_at",
    "journal_advicerun": "account_id, ruleset_id, snapshot_id, as_of, ruleset_hash, book_revision, "
    "content_hash, advice, created_at",
    "journal_recommendation": "run_id, account_id, ordinal, action, layer, title, proposal, content_hash, "
    "risk_reducing, loss_before, loss_after, created_at",
    "journal_signature": "account_id, ruleset_id, recommendation_id, signer_name, content_hash, at",
    "journal_decision": "account_id, recommendation_id, kind, actor_name, reason_code, reason, tag, "
    "scenario_effect, fills, at",
}


def protect(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION governance_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN
                 RAISE EXCEPTION 'what was signed or decided cannot be changed'
                   USING ERRCODE = 'restrict_violation';
               END $$"""
        )
    body = (
        "BEGIN SELECT RAISE(ABORT, 'what was signed or decided cannot be changed'); END"
        if sqlite
        else "FOR EACH ROW EXECUTE FUNCTION governance_refuse()"
    )
    for table, columns in FROZEN.items():
        schema_editor.execute(f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OF {columns} ON {table} {body}")


def unprotect(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for table in FROZEN:
        schema_editor.execute(f"DROP TRIGGER {table}_frozen" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION governance_refuse()")


class Migration(migrations.Migration):
    dependencies = [("journal", "0004_governance")]
    operations = [migrations.RunPython(protect, unprotect)]
