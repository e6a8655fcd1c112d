"""A real Chromium, and pages opened in it."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def chromium():
    """The browser, without a window."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH: install it to test pages (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page in the browser, and all that it complained about."""

    def __init__(self, page):
        self.page, self.complaints, self.requests = page, [], []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message):
        # Without a graphics card WebGL is drawn in software, which says that it is slow.
        if message.type in ("error", "warning") and "GL Driver Message" not in message.text:
            self.complaints.append(message.text)

    def scroll_through(self):
        """Bring every plot into view, and wait until it is drawn."""
        for plot in self.page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
            plot.locator(".main-svg").first.wait_for()


@pytest.fixture
def open_page(chromium, tmp_path):
    """Open HTML from a file, as a person does: ``open_page(html, theme="dark")``."""
    contexts = []

    def call(html, theme="light"):
        (tmp_path / "page.html").write_text(html)
        context = chromium.new_context(viewport={"width": 1360, "height": 1000}, color_scheme=theme)
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.goto((tmp_path / "page.html").as_uri())
        return opened

    yield call
    for context in contexts:
        context.close()
