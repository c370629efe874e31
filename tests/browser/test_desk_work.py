"""A customer and two agents side by side at the desk, in Chromium."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.system import System

PASSWORD = "a-long-password"
Enter = Callable[..., Page]


@pytest.fixture
def enter(chromium, system: System) -> Iterator[Enter]:
    """Logs somebody in, in a browser profile of their own."""
    contexts = []
    errors: list[str] = []

    def log_in(name: str, role: str = "agent", width: int = 1280) -> Page:
        email = f"{uuid.uuid4().hex[:8]}@northpeak.example"
        system.run_command(
            "agent", "add", email, "--name", name, "--role", role, "--password", PASSWORD
        )
        context = chromium.new_context(viewport={"width": width, "height": 850}, locale="en-GB")
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{system.url}/desk")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield log_in
    for context in contexts:
        context.close()
    assert not errors, errors


def open_ticket(page: Page, number: str) -> None:
    page.get_by_role("button", name=re.compile(number)).first.click()
    expect(page.locator("#number")).to_have_text(number)


def more(page: Page) -> None:
    page.get_by_role("button", name="More", exact=True).click()


def test_two_agents_and_a_customer(enter: Enter, system: System):
    sam, kim = enter("Sam Fell"), enter("Kim Vale")
    customer = system.customer()
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    for page in (sam, kim):
        open_ticket(page, number)
    # A claim is seen by the other at once, and cannot be made twice.
    sam.get_by_role("button", name="Claim", exact=True).click()
    expect(kim.locator("#facts")).to_contain_text("With Sam Fell", timeout=3000)
    expect(kim.get_by_role("button", name="Claim", exact=True)).to_be_hidden()
    # Kim sees that Sam writes.
    sam.get_by_label("Your reply").fill("Let me look")
    looking = kim.locator(f"#queue li:has-text('{number}') .looker")
    expect(looking).to_contain_text("Sam is", timeout=12_000)
    # A note reaches colleagues, and the customer never.
    more(kim)
    kim.get_by_label("Internal note").fill("is a friend of the house")
    kim.get_by_role("button", name="Keep the note").click()
    expect(kim.locator("#tools-trouble")).to_have_text("Kept.")
    sam.get_by_role("button", name="About", exact=True).click()
    expect(sam.locator("#about")).to_contain_text("Internal", timeout=5000)
    expect(sam.locator("#about")).to_contain_text("friend of the house")
    expect(sam.locator("#about")).to_contain_text("First response")
    # A promise is asked about before it goes out.
    sam.get_by_label("Your reply").fill("We guarantee a refund by tomorrow.")
    sam.get_by_label("Your reply").press("Enter")
    expect(sam.locator("#promises")).to_contain_text("guarantee a refund by tomorrow")
    assert all(message["author"] != "agent" for message in customer.view()["messages"])
    sam.get_by_role("button", name="Change it").click()
    sam.get_by_label("Your reply").fill("I will look into it.")
    sam.get_by_label("Your reply").press("Enter")
    customer.wait_for(lambda view: view["messages"][-1]["text"] == "I will look into it.")
    # Passed on, it is Kim's.
    more(sam)
    sam.get_by_label("Pass on to").select_option(label="Kim Vale (at the desk)")
    sam.get_by_role("button", name="Pass on").click()
    expect(kim.locator("#facts")).to_contain_text("With you", timeout=5000)
    view = customer.wait_for(lambda view: "Kim has joined" in view["messages"][-1]["text"])
    assert not any("friend of the house" in message["text"] for message in view["messages"])


def test_suggestions_saved_replies_tags_and_putting_off(enter: Enter, system: System):
    sam = enter("Sam Fell")
    customer = system.customer()
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    customer.write("what are the signs of fraud in refunds? how long does a return take?")
    open_ticket(sam, number)
    sam.get_by_role("button", name="Claim", exact=True).click()
    expect(sam.get_by_role("log")).to_contain_text("signs of fraud")
    sam.get_by_role("button", name="Suggestions").click()
    staff = sam.locator(".suggestion.staff").first
    expect(staff).to_contain_text("Staff only")
    expect(staff.get_by_role("button")).to_have_count(0)  # nothing puts it into a reply
    sam.get_by_role("button", name="Suggestions").click()
    expect(sam.locator("#suggestions")).to_be_hidden()
    name = f"greeting {uuid.uuid4().hex[:6]}"
    sam.get_by_label("Your reply").fill("Hello, {agent} of {business} here, about {number}.")
    sam.get_by_role("button", name="Keep this reply").click()
    sam.get_by_label("Name of the saved reply").fill(name)
    sam.get_by_role("button", name="Keep", exact=True).click()
    kept = sam.get_by_role("region", name="Saved replies")
    expect(kept.get_by_role("status")).to_have_text("Kept.")
    filled = f"Hello, Sam of Northpeak here, about {number}."
    reply = sam.get_by_label("Your reply")
    reply.fill("")
    kept.get_by_role("button", name=f"Put “{name}” into the reply").click()
    expect(reply).to_have_value(filled)
    # By its name, with keys alone.
    reply.fill("")
    reply.press_sequentially("/" + name[:-2])
    expect(sam.get_by_role("option", name=re.compile(name))).to_be_visible()
    reply.press("Enter")
    expect(reply).to_have_value(filled)
    expect(sam.get_by_role("listbox")).to_be_hidden()
    reply.press("Enter")
    customer.wait_for(lambda view: number in view["messages"][-1]["text"])
    sam.get_by_role("button", name="Saved replies").click()
    kept.get_by_role("button", name=f"Delete “{name}”").click()
    kept.get_by_role("button", name="Delete it").click()
    expect(kept.get_by_role("status")).to_have_text("Deleted.")
    expect(kept).not_to_contain_text(name)
    sam.get_by_role("button", name="Saved replies").click()
    # A promise that no rule backs waits for a second word.
    reply.fill("We guarantee that it comes tomorrow.")
    reply.press("Enter")
    expect(sam.get_by_role("alert").filter(has_text="promises something")).to_be_visible()
    sam.get_by_role("button", name="Change it").click()
    expect(reply).to_be_focused()
    reply.fill("")
    more(sam)
    sam.get_by_role("button", name="This was a knowledge gap").click()
    expect(sam.locator("#details")).to_contain_text("knowledge-gap")
    sam.locator("#tool-when").select_option("180")
    sam.get_by_role("button", name="Put off", exact=True).click()
    expect(sam.locator("[data-section=later]")).to_contain_text(number)
    customer.write("one more thing")
    expect(sam.locator("[data-section=mine]")).to_contain_text(number, timeout=5000)
    # Found by number and by words.
    for text in (number, "signs fraud refunds"):
        sam.get_by_label("Find a conversation").fill(text)
        sam.get_by_label("Find a conversation").press("Enter")
        expect(sam.locator("#found")).to_contain_text(number)


def test_the_keyboard_reaches_everything(enter: Enter, system: System):
    sam = enter("Sam Fell")
    customer = system.customer()
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    open_ticket(sam, number)
    sam.locator("#number").focus()
    sam.keyboard.press("c")
    expect(sam.locator("#facts")).to_contain_text("With you")
    sam.keyboard.press("Escape")
    sam.keyboard.press("n")
    expect(sam.locator("#tool-note")).to_be_focused()
    sam.keyboard.press("Escape")
    expect(sam.locator("#tools")).to_be_hidden()
    sam.keyboard.press("i")
    expect(sam.locator("#about")).to_be_visible()
    sam.keyboard.press("/")
    expect(sam.locator("#find")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_of_the_desk_has_what_axe_calls_a_violation(
    enter: Enter, system: System, width: int
):
    customer = system.customer()
    customer.ask("my parcel is late and I am annoyed")
    customer.press_person()
    number = customer.wait_for(lambda view: view["ticket"])["ticket"]
    boss = enter("Ada Hill", "admin", width)
    assert violations(boss) == []
    open_ticket(boss, number)
    boss.get_by_role("button", name="Claim", exact=True).click()
    boss.get_by_role("button", name="About", exact=True).click()
    more(boss)
    expect(boss.locator("#about")).to_contain_text("Clocks")
    boss.get_by_role("button", name="Suggestions").click()
    expect(boss.locator(".suggestion").first).to_be_visible()
    assert violations(boss) == []
    boss.get_by_role("button", name="Saved replies").click()
    boss.get_by_role("button", name="Suggestions").click()
    assert violations(boss) == []
    for path in ("numbers", "people", "me", "audit", "policies", "policies?file=escalation"):
        boss.goto(f"{system.url}/desk/{path}")
        expect(boss.get_by_role("heading", level=1)).to_be_visible()
        assert violations(boss) == [], path


def test_a_lead_is_led_to_the_line_of_a_mistake(enter: Enter, system: System):
    lead = enter("Ada Hill", "lead")
    lead.get_by_role("link", name="Policies").click()
    box = lead.get_by_role("textbox")
    expect(box).to_have_value(re.compile("first_response: 30"))
    text = box.input_value()
    box.fill(text.replace("first_response: 30", "first_response: soon"))
    lead.get_by_role("button", name="Save").click()
    problem = lead.get_by_role("alert")
    expect(problem).to_contain_text("first_response is a whole number")
    assert violations(lead) == []
    problem.get_by_role("link").click()
    expect(box).to_be_focused()
    start, end = box.evaluate("it => [it.selectionStart, it.selectionEnd]")
    assert "first_response: soon" in box.input_value()[start:end]
    box.fill(text)
    lead.get_by_role("button", name="Check only").click()
    expect(lead.get_by_role("status")).to_contain_text("No mistakes were found")
