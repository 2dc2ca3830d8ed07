"""Fifty signatures at the same moment leave exactly the valid ones."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import connection

from journal.errors import ConflictError, RuleError
from journal.models import Account, Decision, Recommendation, Role, Signature
from journal.services.accounts import member_add
from journal.services.governance.recommendations import recommendation_sign
from tests.journal.governance.cases import stored
from tests.journal.people import make_people, make_user


@pytest.mark.django_db(transaction=True)
def test_fifty_signatures_at_once_leave_exactly_the_valid_ones() -> None:
    people = make_people(is_demo=True)
    signers = [people.owner, *(make_user(f"signer{number}") for number in range(4))]
    for user in signers[1:]:
        member_add(user=people.owner, account=people.account, member=user, role=Role.SIGNER, signed=True)
    Account.objects.filter(pk=people.account.pk).update(approvals_needed=5, approval_delay_hours=0)
    people.account.refresh_from_db()
    stored(people.account)
    row = Recommendation.objects.get()
    attempts = (
        [(user, row.content_hash) for user in signers for _ in range(6)]
        + [(people.teammate, row.content_hash)] * 5
        + [(people.stranger, row.content_hash)] * 5
        + [(signers[1], "0" * 64)] * 10
    )
    assert len(attempts) == 50
    answers: list[str] = []

    def sign(user: object, content_hash: str) -> None:
        try:
            recommendation_sign(user=user, recommendation=row, content_hash=content_hash)  # type: ignore[arg-type]
            answers.append("signed")
        except (RuleError, ConflictError) as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=attempt) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50, Counter(answers)
    assert sorted(Signature.objects.values_list("signer_name", flat=True)) == sorted(
        user.get_username() for user in signers
    )
    row.refresh_from_db()
    assert row.state == Recommendation.State.APPROVED
    assert Decision.objects.filter(kind="approved").count() == 1
