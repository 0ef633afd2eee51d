"""The built site in a headless browser: `hatch run site:test`; SMOLML_SITE names its folder.

Not part of the default suite: it needs a built site (`hatch run docs:build`) and Chromium.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PHONE = {"width": 390, "height": 800}
TYPES = {".wasm": "application/wasm", ".mjs": "text/javascript", ".js": "text/javascript"}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


_Quiet.extensions_map = _Quiet.extensions_map | TYPES


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Only when asked for: `pytest tests` leaves this folder out."""
    return None if "SMOLML_SITE" in os.environ else True


def built() -> Path:
    """The folder of the built site."""
    return (ROOT / os.environ["SMOLML_SITE"]).resolve()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The site, served on 127.0.0.1."""
    folder = built()
    if not (folder / "assets" / "run" / "pyodide.asm.wasm").exists():
        pytest.fail(f"{folder} holds no site with Pyodide in it; build it: hatch run docs:build")
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: Debian's if it is there, else Playwright's own."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", rules],
        )
        yield one
        one.close()


Open = Callable[..., Any]


@pytest.fixture(scope="session")
def open_page(address: str, browser: Any) -> Iterator[Open]:
    """Opens a page of the site; other hosts are refused, and nothing may have asked for one."""
    asked: list[str] = []
    errors: list[str] = []
    contexts: dict[str, Any] = {}  # by their options: pages of one share what they have fetched

    def opened(path: str, **options: Any) -> Any:
        key = repr(sorted(options.items()))
        if key not in contexts:
            chosen = {"viewport": {"width": 1280, "height": 900}, **options}
            contexts[key] = browser.new_context(**chosen)
            contexts[key].on("request", lambda r: asked.append(r.url))
        page = contexts[key].new_page()
        page.on("pageerror", lambda error: errors.append(f"{path}: {error}"))
        page.set_default_timeout(120_000)  # milliseconds: machines may be slow
        page.goto(f"{address}/{path}")
        return page

    yield opened
    for context in contexts.values():
        context.close()
    elsewhere = [url for url in asked if not url.startswith((address, "blob:", "data:"))]
    assert (elsewhere, errors) == ([], [])
