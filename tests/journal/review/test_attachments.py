"""Files beside trades and days: recognised by content, capped, sealed when served."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from journal.errors import RuleError
from journal.models import Attachment
from journal.services.review import attachments
from journal.services.review.attachments import attachment_add, attachment_delete, safe_name, sniffed
from tests.journal.people import People, answers, make_people, open_condor, png

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
DAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (png(), "image/png"), (PDF, "application/pdf"), (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a...", "image/gif"), (b"RIFF....WEBPVP8 ", "image/webp"), (b"<svg onload=alert(1)>", ""),
        (b"<html><script>", ""), (b"MZ\x90", ""), (b"", ""), (b"PK\x03\x04", ""),
    ],
)  # fmt: skip
def test_the_type_is_read_from_the_content(content: bytes, wanted: str) -> None:
    assert sniffed(content) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("chart.html", "chart.png"), ("../../etc/passwd", "passwd.png"), ('a"; x=".png', "a-x.png"),
        ("C:\\tmp\\Bild ä.PNG", "Bild-a.png"),
        ("", "file.png"), ("...", "file.png"), ("a\r\nb.png", "a-b.png"),
    ],
)  # fmt: skip
def test_a_stored_name_is_harmless(name: str, wanted: str) -> None:
    assert safe_name(name, "image/png") == wanted


@pytest.fixture
def people() -> People:
    return make_people()


def _add(people: People, content: bytes, name: str = "a.png") -> Attachment:
    return attachment_add(user=people.owner, account=people.account, day=DAY, name=name, content=content)


@pytest.mark.django_db
def test_the_same_file_is_kept_once_and_comes_back_after_removal(people: People) -> None:
    first = _add(people, png())
    attachment_delete(user=people.owner, attachment=first)
    assert _add(people, png()) == first
    row = Attachment.objects.get()
    assert row.deleted_at is None
    assert len(row.sha256) == 64


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"<svg/>", b"\x89PNG\r\n\x1a\nbroken", png()[:60]])
def test_other_types_and_damaged_images_are_refused(people: People, content: bytes) -> None:
    with pytest.raises(RuleError):
        _add(people, content)
    assert not Attachment.objects.exists()


@pytest.mark.django_db
def test_size_and_number_are_capped(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuleError, match="10 MiB"):
        _add(people, PDF + b"\x00" * attachments.MAX_SIZE)
    monkeypatch.setattr(attachments, "MAX_FILES", 1)
    _add(people, PDF)
    with pytest.raises(RuleError, match="At most 1"):
        _add(people, png())


@pytest.mark.django_db
def test_a_file_is_served_sealed_to_members_only(people: People, client: Client) -> None:
    row = _add(people, png(900, 600), "view.html")
    url = f"/files/{row.pk}/"
    assert answers(client, "get", url, people) == {
        "owner": 200,
        "teammate": 200,
        "stranger": 404,
        "nobody": 302,
    }
    client.force_login(people.teammate)
    answer = client.get(url)
    assert answer.content == png(900, 600)
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == 'attachment; filename="view.png"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    small = client.get(f"{url}small/")
    assert small["Content-Type"] == "image/png"
    assert small.content != row.content
    assert small["Content-Security-Policy"] == "default-src 'none'; sandbox"
    found = answers(client, "post", f"{url}remove/", people)
    assert found == {"owner": 302, "teammate": 403, "stranger": 404, "nobody": 302}


@pytest.mark.django_db
def test_a_file_is_attached_through_the_trade_page(people: People, client: Client) -> None:
    trade = open_condor(people)
    client.force_login(people.owner)
    sent = SimpleUploadedFile("shot.png", png(), content_type="text/html")
    page = client.post(f"/trades/{trade.pk}/files/", {"file": sent}, headers={"HX-Request": "true"})
    assert "shot.png" in page.content.decode()
    page = client.post(f"/trades/{trade.pk}/files/", headers={"HX-Request": "true"})
    assert "Choose a file" in page.content.decode()
    assert client.get(f"/files/{Attachment.objects.get().pk}/small/").status_code == 200
