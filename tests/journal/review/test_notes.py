"""Notes in Markdown: safe to show, never lost."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from journal.errors import ConflictError, RuleError
from journal.models import Note, NoteRevision
from journal.selectors.review.markdown import markdown_html
from journal.services.review.notes import note_create, note_delete, note_edit
from tests.journal.people import People, answers, make_people, open_condor

DAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("**bold** *it* ~~no~~", "<p><strong>bold</strong> <em>it</em> <s>no</s></p>"),
        ("# Head", "<h3>Head</h3>"),
        ("###### Deep", "<h6>Deep</h6>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("[x](https://example.org)",
         '<p><a href="https://example.org" rel="noopener noreferrer nofollow">x</a></p>'),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
    ],
)  # fmt: skip
def test_markdown_becomes_html(text: str, wanted: str) -> None:
    assert markdown_html(text).strip() == wanted


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.org/pixel.png)",
        "<style>body{display:none}</style>",
        "[x](https://example.org 'a\" onmouseover=\"alert(1)')",
        "<a href='javascript:alert(1)'>x</a>",
    ],
)
def test_hostile_markdown_has_no_effect(text: str) -> None:
    html = markdown_html(text)
    for bad in ("<script", "<img", "<style", 'href="javascript', 'href="data', "<a href='"):
        assert bad not in html
    assert " onmouseover=" not in html.replace("&quot; onmouseover", "")


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.mark.django_db
def test_every_text_of_a_note_is_kept(people: People) -> None:
    note = note_create(user=people.owner, account=people.account, day=DAY, text="first")
    note_edit(user=people.owner, note=note, text="second", version=1)
    assert list(NoteRevision.objects.values_list("version", "text")) == [(2, "second"), (1, "first")]
    with pytest.raises(ConflictError):
        note_edit(user=people.owner, note=note, text="third", version=1)
    assert Note.objects.get().text == "second"


@pytest.mark.django_db
def test_a_double_click_writes_one_note(people: People) -> None:
    for _ in range(2):
        note_create(user=people.owner, account=people.account, day=DAY, text="same")
    assert Note.objects.count() == 1


@pytest.mark.django_db
def test_a_removed_note_comes_back(people: People, client: Client) -> None:
    trade = open_condor(people)
    note = note_create(user=people.owner, account=people.account, trade=trade, text="keep me")
    client.force_login(people.owner)
    page = client.post(f"/notes/{note.pk}/remove/", headers={"HX-Request": "true"}).content.decode()
    assert "Undo" in page
    assert "keep me" not in page
    with pytest.raises(ConflictError):
        note_edit(user=people.owner, note=note, text="x", version=1)
    page = client.post(
        f"/notes/{note.pk}/remove/", {"restore": "1"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "keep me" in page
    note_delete(user=people.owner, note=note, deleted=False)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "  \n", "x" * 20_001])
def test_a_note_needs_a_text_of_bearable_length(people: People, text: str) -> None:
    with pytest.raises(RuleError):
        note_create(user=people.owner, account=people.account, day=DAY, text=text)


@pytest.mark.django_db
def test_three_users_on_notes(people: People, client: Client) -> None:
    note = note_create(user=people.owner, account=people.account, day=DAY, text="mine")
    url = f"/notes/{note.pk}/"
    assert answers(client, "get", url, people) == {
        "owner": 200,
        "teammate": 200,
        "stranger": 404,
        "nobody": 302,
    }
    found = answers(client, "post", url, people, text="new", version="1")
    assert found == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}
    day = answers(client, "post", f"/days/{DAY}/notes/", people, text="x", account=str(people.account.pk))
    assert day == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}
    client.force_login(people.owner)
    stale = client.post(url, {"text": "stale", "version": "1"})
    assert stale.status_code == 409
    assert "stale" in stale.content.decode()


@pytest.mark.django_db
def test_the_preview_is_safe_and_keeps_nothing(people: People, client: Client) -> None:
    client.force_login(people.owner)
    page = client.post("/notes/preview/", {"text": "**a** <script>"}).content.decode()
    assert "<strong>a</strong>" in page
    assert "<script" not in page
    assert not Note.objects.exists()
