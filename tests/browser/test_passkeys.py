"""Passkeys in a real browser with a virtual authenticator: made, used to sign in, used as a second factor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser
MakePage = Callable[..., Page]
PASSWORD = "vanna-and-volga-7"


@pytest.fixture
def local(site: tuple[str, dict[str, str]]) -> str:
    """The site under its host name: WebAuthn refuses addresses made of numbers."""
    return site[0].replace("127.0.0.1", "localhost")


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A device with a fingerprint reader that always recognises its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    return session, made["authenticatorId"]


def sign_up(page: Page, local: str, name: str) -> None:
    page.goto(f"{local}/accounts/signup/")
    page.fill("input[name=username]", name)
    page.fill("input[name=email]", f"{name}@example.org")
    page.fill("input[name=password1]", PASSWORD)
    page.fill("input[name=password2]", PASSWORD)
    page.click("form.narrow button[type=submit]")
    page.wait_for_url(f"{local}/")


def add(page: Page, local: str, *, alone: bool) -> None:
    page.goto(f"{local}/accounts/2fa/webauthn/add/")
    page.fill("input[name=password]", PASSWORD)  # a way in is added by who knows the password
    page.click("form.narrow button[type=submit]")
    page.wait_for_url("**/webauthn/add/")
    page.set_checked("input[name=passwordless]", alone)
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/2fa/recovery-codes/")


def sign_out(page: Page, local: str) -> None:
    page.goto(f"{local}/accounts/logout/")
    page.click("main button[type=submit]")
    page.wait_for_url("**/accounts/login/")


def with_password(page: Page, local: str, name: str) -> None:
    page.goto(f"{local}/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("form.narrow button[type=submit]")
    page.wait_for_url("**/2fa/authenticate/")


@pytest.fixture
def own_watch(watch: Watch) -> Watch:
    """The shared collector knows the site by number; these tests use its name."""
    watch.foreign = _Ignoring(watch)
    return watch


class _Ignoring(list[str]):
    """Addresses that are not the site under either name."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(watch.foreign)

    def append(self, url: str) -> None:
        if not url.startswith(("http://localhost:", "http://127.0.0.1:")):
            super().append(url)


def test_a_passkey_signs_in_alone(
    new_page: MakePage, own_watch: Watch, local: str, shot_dir: Path | None
) -> None:
    page = new_page()
    session, device = authenticator(page)
    sign_up(page, local, "passkey-alone")
    add(page, local, alone=True)
    (made,) = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert (made["isResidentCredential"], made["rpId"]) == (True, "localhost")
    page.goto(f"{local}/accounts/2fa/webauthn/")
    assert "signs in alone" in page.inner_text("table")
    if shot_dir:
        page.screenshot(path=shot_dir / "passkeys.png")
    sign_out(page, local)
    page.click("#passkey_login")
    page.wait_for_url(f"{local}/")
    page.goto(f"{local}/accounts/email/")
    assert "passkey-alone@example.org" in page.inner_text("main")
    own_watch.assert_clean()


def test_a_second_factor_is_asked_for_beside_the_password(
    new_page: MakePage, own_watch: Watch, local: str
) -> None:
    page = new_page()
    authenticator(page)
    sign_up(page, local, "passkey-second")
    add(page, local, alone=False)
    sign_out(page, local)
    with_password(page, local, "passkey-second")
    # The password alone opens nothing.
    assert page.context.request.get(f"{local}/trades/", max_redirects=0).status == 302
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url(f"{local}/")
    own_watch.assert_clean()


def test_a_device_without_a_passkey_is_told_so(new_page: MakePage, own_watch: Watch, local: str) -> None:
    page = new_page()
    session, device = authenticator(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto(f"{local}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_selector("[data-passkey-error]:not([hidden])")
    assert "no passkey" in page.inner_text("[data-passkey-error]")
    own_watch.assert_clean()


def test_under_a_number_the_page_says_what_is_missing(
    new_page: MakePage, watch: Watch, site: tuple[str, dict[str, str]]
) -> None:
    page = new_page()
    authenticator(page)
    page.goto(f"{site[0]}/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_selector("[data-passkey-error]:not([hidden])")
    assert "http://localhost" in page.inner_text("[data-passkey-error]")
    watch.assert_clean()
