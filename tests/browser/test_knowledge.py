"""The editors' pages in Chromium, with customers who asked something that no article answers."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.system import System

LIGHT, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
ASKED_IN_VAIN = (
    "do you rent out tents",
    "can i hire a tent for a weekend?",
    "This is hopeless!! Nobody can tell me how much it is to rent a tent",
    "do you run guided walks",
    "can i book a guided walk through you",
    "do you stock vegan boots",
)


@pytest.fixture(scope="module")
def asked(system: System) -> System:
    """Customers who got no answer, one of whom a colleague helped; and one who was content."""
    customers = []
    for text in ASKED_IN_VAIN:
        customers.append(system.customer())
        customers[-1].ask(text)
    customers[0].press_person()
    agent = system.agent()
    agent.claim(agent.ticket_of(customers[0]))
    agent.reply(customers[0], "Hello, Sam here. Only our Leeds shop does, £20 a day.")
    agent.resolve(customers[0])
    content = system.customer()
    content.ask("how long does a return take?")
    content.ask("thank you")
    return system


@pytest.fixture
def editor(page: Page, asked: System) -> Page:
    """Logged in through the form, on the editors' list of articles."""
    page.set_viewport_size(LIGHT)
    email, password = f"{uuid.uuid4().hex[:8]}@northpeak.example", "a-long-password"
    asked.run_command("agent", "add", email, "--name", "Ada Hill", "--password", password)
    page.goto(f"{asked.url}/desk")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Knowledge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Knowledge")
    return page


def test_a_preview_shows_the_answer_without_leaving_the_page(editor: Page, tmp_path: Path):
    address = editor.url
    box = editor.get_by_label("A question, as a customer might write it")
    box.fill("how long does a return take?")
    editor.get_by_role("button", name="Show the answer").click()
    expect(editor.get_by_role("heading", name="An article answers this")).to_be_visible()
    expect(editor.locator(".bubble")).to_contain_text("5–8 working days")
    assert editor.url == address
    box.fill("do you offer sherpas")
    editor.get_by_role("button", name="Show the answer").click()
    verdict = re.compile("No article answers this|Out of scope")
    expect(editor.get_by_role("heading", name=verdict)).to_be_visible()
    expect(editor.locator(".bubble")).to_have_count(1)
    editor.get_by_role("link", name="Preview").click()
    editor.get_by_label("Staff", exact=True).check()
    editor.get_by_label(re.compile("A question")).fill("how much goodwill may I give")
    editor.get_by_role("button", name="Show the answer").click()
    expect(editor.locator("#preview\\.result")).to_contain_text("Staff only")
    editor.screenshot(path=tmp_path / "preview.png", full_page=True)


def test_a_gap_is_looked_at_and_closed(editor: Page, tmp_path: Path):
    gap = editor.get_by_role("listitem").filter(
        has=editor.get_by_role("heading", name=re.compile("tent"))
    )
    expect(gap).to_contain_text("3 customers")
    expect(gap).to_contain_text("1 handed over")
    gap.get_by_text("3 wordings").click()
    expect(gap).to_contain_text("Only our Leeds shop does, £20 a day.")
    editor.screenshot(path=tmp_path / "knowledge.png")
    walks = editor.get_by_role("listitem").filter(
        has=editor.get_by_role("heading", name=re.compile("guided walk"))
    )
    walks.get_by_text("Close", exact=True).click()
    walks.get_by_label(re.compile("Not for us")).check()
    walks.get_by_role("button", name="Close this gap").click()
    expect(editor.get_by_role("status")).to_contain_text("Closed.")
    expect(editor.get_by_role("heading", name=re.compile("guided walk"))).to_have_count(0)
    editor.get_by_text("Closed lately").click()
    editor.get_by_role("button", name=re.compile("Open again .*guided walk")).click()
    expect(editor.get_by_role("heading", name=re.compile("guided walk"))).to_have_count(1)


def test_axe_finds_nothing(editor: Page):
    assert violations(editor) == []
    editor.get_by_role("link", name="Preview").click()
    expect(editor.get_by_label("Staff", exact=True)).to_be_visible()
    assert violations(editor) == []


def test_the_source_of_an_answer_leads_to_its_article_at_the_desk(
    editor: Page, asked: System, tmp_path: Path
):
    customer = asked.customer()
    customer.ask("how long does a return take?")
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    editor.get_by_role("link", name="Conversations").click()
    editor.get_by_role("button", name=re.compile(number)).click()
    link = editor.get_by_role("log").get_by_role("link", name=re.compile("How to return an item"))
    path = "/desk/knowledge/returns/return-an-item#how-long-a-return-takes"
    expect(link).to_have_attribute("href", path)
    with editor.expect_popup() as opened:
        link.click()
    article = opened.value
    expect(article.get_by_role("heading", level=1)).to_have_text("How to return an item")
    expect(article.locator("h2:target")).to_be_in_viewport()
    article.screenshot(path=tmp_path / "article.png", full_page=True)


def test_it_works_without_scripts_and_on_a_phone(chromium, asked: System, tmp_path: Path):
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    agent = asked.agent()
    for cookie in agent._client.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": asked.url}])
    page = context.new_page()
    for path in ("knowledge", "knowledge/returns/return-an-item", "preview"):
        page.goto(f"{asked.url}/desk/{path}")
        wide = page.locator("html").evaluate("it => it.scrollWidth <= innerWidth")
        page.screenshot(path=tmp_path / f"phone-{path.split('/')[0]}-{len(path)}.png")
        assert wide, path
    page.get_by_label(re.compile("A question")).fill("how long does a return take?")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.get_by_role("heading", name="An article answers this")).to_be_visible()
    assert page.locator("html").evaluate("it => it.scrollWidth <= innerWidth")
    context.close()
