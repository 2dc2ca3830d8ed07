"""Takes the pictures in docs/images/ from a site with the demo: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.site import chromium, running_site  # noqa: E402

PAGES = {
    "dashboard": "/",
    "trades": "/trades/",
    "entry": "/trades/new/",
    "hedge-entry": "/trades/new/hedge/",
    "hedge": "/hedge/",
    "what-if": "/what-if/",
    "rules": "/rules/",
    "performance": "/performance/",
    "statistics": "/statistics/",
    "hedge-value": "/hedge-value/",
    "capital": "/attribution/capital/",
    "discipline": "/discipline/",
    "alerts": "/alerts/",
    "calendar": "/calendar/",
    "backtest": "/backtest/",
    "market": "/market/",
    "data": "/data/",
    "reports": "/reports/",
    "accounts": "/books/",
}
ORDER = "SOLD -1 IRON CONDOR SPX 100 (Weeklys) 18 DEC 26 6900/6950/6500/6450 CALL/PUT @2.55 LMT"
KEPT = {
    "trade-light",
    "trade-dark",
    "dashboard-light",
    "hedge-dark",
    "entry-light",
    "market-light",
    "trade-phone",
    "what-if-light",
    "capital-light",
    "hedge-value-dark",
}


@contextmanager
def signed_in(browser: Browser, url: str, scheme: str, width: int, user: tuple[str, str]) -> Iterator[Page]:
    """A page of a signed-in user in one colour scheme and width."""
    context = browser.new_context(
        base_url=url,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        device_scale_factor=1,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.on("console", lambda message: print("console:", message.text))
    page.on("pageerror", lambda error: print("error:", error))
    page.goto("/accounts/login/")
    page.fill("input[name=login]", user[0])
    page.fill("input[name=password]", user[1])
    page.click("form.narrow button[type=submit]")
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


def shoot(page: Page, folder: Path, name: str, *, every: bool) -> None:
    """Store one full-page picture."""
    if every or name in KEPT:
        page.screenshot(path=folder / f"{name}.png", full_page=True)


def wait_until_computed(page: Page) -> None:
    """Workers fill the pages in the first minute after a start."""
    signs = {"/market/": "text=Regimes", "/hedge/": ".rec-card", "/performance/": "text=Under water"}
    for path, sign in signs.items():
        for _ in range(60):
            page.goto(path)
            if page.locator(sign).count():
                break
            page.wait_for_timeout(2000)
        else:
            print(f"{path} was not computed in two minutes")


def walk(browser: Browser, url: str, folder: Path, *, every: bool) -> None:
    """Visit the pages in both themes and at phone width."""
    for name, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 360)):
        with signed_in(browser, url, scheme, width, ("demo", "demo-journal")) as page:
            wait_until_computed(page)
            for label, path in PAGES.items():
                page.goto(path)
                if label == "entry":
                    page.fill("textarea[name=order_text]", ORDER)
                    page.wait_for_selector("#preview .tiles")
                page.wait_for_timeout(600)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0:
                    print(f"{label}-{name} scrolls sideways by {wide}px")
                shoot(page, folder, f"{label}-{name}", every=every)
            page.goto("/trades/?kind=condor&status=open")
            page.click("table.data tbody a")
            page.wait_for_selector("[data-chart=payoff] svg")
            page.wait_for_timeout(600)
            shoot(page, folder, f"trade-{name}", every=every)
        with signed_in(browser, url, scheme, width, ("risk", "demo-risk")) as page:
            page.goto("/risk/")
            shoot(page, folder, f"risk-{name}", every=every)


def main() -> None:
    """With arguments URL FOLDER: every page of a running site; without: the pictures of the docs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--headless=new", "--no-sandbox", "--disable-gpu"]
        )
        if len(sys.argv) == 3:
            folder = Path(sys.argv[2])
            folder.mkdir(parents=True, exist_ok=True)
            walk(browser, sys.argv[1], folder, every=True)
        else:
            with tempfile.TemporaryDirectory() as state, running_site(Path(state)) as (url, _):
                walk(browser, url, ROOT / "docs" / "images", every=False)
        browser.close()


if __name__ == "__main__":
    main()
