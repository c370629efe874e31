"""What axe-core finds wrong with a page for people who use it otherwise than by sight and mouse."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """Each rule that is broken, with the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [f"{it['id']}: {[node['html'][:120] for node in it['nodes']]}" for it in found]
