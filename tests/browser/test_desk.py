"""The desk as an agent uses it, in Chromium, with a customer on the other side."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.system import System


@pytest.fixture
def desk(page: Page, system: System) -> Page:
    """An agent of their own, logged in through the form."""
    email, password = f"{uuid.uuid4().hex[:8]}@northpeak.example", "a-long-password"
    system.run_command("agent", "add", email, "--name", "Ada Hill", "--password", password)
    page.goto(f"{system.url}/desk")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("desk")
    return page


def test_claim_answer_resolve(desk: Page, system: System):
    customer = system.customer()
    customer.ask("your courier is useless and I am furious, get me a human being")
    number = customer.view()["ticket"]
    row = desk.get_by_role("button", name=re.compile(number))
    row.click()
    expect(desk.get_by_role("log")).to_contain_text("your courier is useless")
    expect(desk.locator("#conversation")).to_contain_text(re.compile("angry|upset", re.IGNORECASE))
    expect(desk.get_by_label("Your reply")).to_be_disabled()
    desk.get_by_role("button", name="Claim", exact=True).click()
    desk.get_by_label("Your reply").fill("Ada here. I am looking at it now.")
    desk.get_by_label("Your reply").press("Enter")
    view = customer.wait_for(lambda view: view["messages"][-1]["author"] == "agent")
    assert view["messages"][-1]["text"] == "Ada here. I am looking at it now."
    assert view["messages"][-1]["author_name"] == "Ada"
    customer.write("thank you Ada")
    expect(desk.get_by_role("log")).to_contain_text("thank you Ada")
    desk.get_by_role("button", name="Resolve", exact=True).click()
    go = desk.locator("#panel-go")
    if go.is_visible():
        go.click()
    customer.wait_for(lambda view: view["owner"] == "resolved")


def test_a_new_conversation_appears_by_itself_and_can_be_handed_back(desk: Page, system: System):
    customer = system.customer()
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    row = desk.get_by_role("button", name=re.compile(number))
    expect(row).to_be_visible()
    row.click()
    desk.get_by_role("button", name="Claim", exact=True).click()
    desk.get_by_role("button", name="Hand back to the bot").click()
    desk.get_by_label("Note for colleagues").fill("asked for opening hours only")
    desk.locator("#panel-go").click()
    view = customer.wait_for(lambda view: view["owner"] == "bot")
    assert "handed the conversation back" in view["messages"][-1]["text"]
    assert customer.ask("when are the shops open?")["sources"]


def test_wrong_passwords_get_nowhere(page: Page, system: System):
    page.goto(f"{system.url}/desk/login")
    page.get_by_label("E-mail address").fill("agent@northpeak.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{system.url}/desk")
    expect(page).to_have_url(re.compile("/desk/login"))


def test_it_works_on_a_phone(chromium, system: System):
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    agent = system.agent()
    for cookie in agent._client.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": system.url}])
    page = context.new_page()
    customer = system.customer()
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    page.goto(f"{system.url}/desk")
    page.get_by_role("button", name=re.compile(number)).click()
    expect(page.get_by_role("log")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("button", name=re.compile(number))).to_be_visible()
    context.close()
