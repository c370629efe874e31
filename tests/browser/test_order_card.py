"""The card of an order, in the widget and at the desk, in Chromium with the demo shop behind it."""

from __future__ import annotations

import os
import re

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from bot.orders.demo.cases import CASES
from tests.browser.axe import violations
from tests.browser.test_widget import log, open_chat, say
from tests.system import System

SPLIT = CASES["split"]


def track(page: Page, system: System, name: str) -> FrameLocator:
    """The widget's frame, once it shows the card of this order."""
    case = CASES[name]
    chat = open_chat(page, system)
    say(chat, f"where is my order {case.number}, {case.email}")
    expect(log(chat).get_by_role("group", name=f"Order {case.number}")).to_be_visible()
    return chat


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_about_an_order_has_its_card(chromium: Browser, system: System, scheme: str):
    context = chromium.new_context(
        viewport={"width": 320, "height": 700}, color_scheme=scheme, locale="en-GB"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None,
    )
    chat = track(page, system, "split")
    card = log(chat).get_by_role("group", name=f"Order {SPLIT.number}")
    expect(card).to_contain_text("Dispatched")
    expect(card.get_by_role("listitem")).to_have_count(2)
    expect(card).to_contain_text("1 × Summit 2 Tent, Green")
    expect(card).to_contain_text("Parcel 2 of 2On its way")
    link = card.get_by_role("link", name="Track parcel 2 (new tab)")
    assert (link.get_attribute("href") or "").startswith("https://")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == (
        "_blank",
        "noopener noreferrer",
    )
    frame = next(frame for frame in page.frames if "/widget/frame" in frame.url)
    assert frame.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert card.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert frame.locator(".order [style]").count() == 0
    card.scroll_into_view_if_needed()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/card-{scheme}.png")
    assert violations(page) == []
    # It is there again after a reload.
    page.reload()
    page.get_by_role("button", name="Northpeak support").click()
    expect(card).to_be_visible()
    # Asked once more, it is shown once more, and both can be told apart from the rest.
    say(chat, f"where is {SPLIT.number}")
    expect(card).to_have_count(2)
    assert violations(page) == []
    context.close()
    assert not errors, errors


def test_the_desk_shows_the_orders_of_the_conversation(page: Page, system: System):
    chat = track(page, system, "split")
    chat.get_by_role("button", name="Talk to a person").click()
    expect(log(chat)).to_contain_text("Your number is R-")
    number = re.findall(r"R-\d+", log(chat).inner_text())[-1]
    email, password = system.add_agent("Kim Moss")
    desk = page.context.new_page()
    desk.goto(f"{system.url}/desk")
    desk.get_by_label("E-mail address").fill(email)
    desk.get_by_label("Password").fill(password)
    desk.get_by_role("button", name="Log in").click()
    desk.get_by_role("button", name=re.compile(number)).first.click()
    orders = desk.get_by_role("region", name="Orders")
    one = orders.get_by_role("listitem").filter(has_text=SPLIT.number).first
    expect(one).to_contain_text("Dispatched")
    expect(one).to_contain_text("promised by")
    one.get_by_text(SPLIT.number).click()
    expect(one).to_contain_text("1 × Summit 2 Tent, Green")
    expect(one).to_contain_text(re.compile(r"Total\s*£\d"))
    expect(one.get_by_role("link", name="Track parcel 2 (new tab)")).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        desk.screenshot(path=f"{folder}/card-desk.png")
    assert violations(desk) == []
    # The shop does not answer: a sentence, and what was there is not taken for all.
    down = {"orders": [], "problem": "The shop does not answer just now."}
    desk.route("**/desk/api/conversations/*/orders", lambda route: route.fulfill(json=down))
    orders.get_by_role("button", name="Look again").click()
    expect(orders).to_contain_text("The shop does not answer just now.")
