"""Going on by text, and being known from the shop's own site, in Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import jwt
import pytest
from playwright.sync_api import Page, expect

from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN, LocalTwilio
from tests.browser.axe import violations
from tests.system import System

SECRET = "a secret of the shop's own site, 40 chars"
PHONE = "+447400123456"


@pytest.fixture(scope="module")
def texted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, LocalTwilio]]:
    with LocalTwilio() as twilio:
        environment = {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": twilio.url,
            "SMS_FROM": NUMBER,
            "SMS_QUIET": "",
            "IDENTITY_SECRET": SECRET,
        }
        with System(tmp_path_factory.mktemp("texted"), **environment) as system:
            twilio.webhook = twilio.public = f"{system.url}/channels/sms"
            yield system, twilio


def test_a_chat_goes_on_by_text(page: Page, texted):
    system, twilio = texted
    page.set_viewport_size({"width": 380, "height": 640})
    page.goto(f"{system.url}/widget/frame")
    page.get_by_label("Your message").fill("how long does a return take?")
    page.get_by_label("Your message").press("Enter")
    expect(page.get_by_role("log")).to_contain_text("working days")
    page.get_by_role("button", name="Go on by text").click()
    field = page.get_by_label("Your mobile number")
    expect(field).to_be_focused()
    assert violations(page) == []
    field.fill("07400 12")
    page.get_by_role("button", name="Text me a code").click()
    expect(page.locator("#texting-said")).to_contain_text("no phone number")
    field.fill("07400 123456")
    page.get_by_role("button", name="Text me a code").click()
    code = page.get_by_label("The code that we texted you")
    expect(code).to_be_focused()
    expect(page.locator("#texting-said")).to_contain_text("+44…456")
    right = re.search(r"\d{6}", twilio.wait_for(PHONE)[0])[0]
    code.fill("000000" if right != "000000" else "111111")
    page.get_by_role("form").get_by_role("button", name="Go on by text").click()
    expect(page.locator("#texting-said")).to_contain_text("4 tries are left")
    code.fill(right)
    page.get_by_role("form").get_by_role("button", name="Go on by text").click()
    expect(page.locator("#texting")).to_be_hidden()
    expect(page.get_by_role("log")).to_contain_text("go on here with what you began")
    assert twilio.texts(PHONE, "and to Norway?").status_code == 200
    expect(page.get_by_role("log")).to_contain_text("and to Norway?")
    assert len(twilio.wait_for(PHONE, 3)) == 3


def test_who_is_signed_in_at_the_shop_is_known(page: Page, texted):
    system, _ = texted
    claims = {"sub": "ada-7", "name": "Ada Hill", "exp": time.time() + 600}
    page.goto(system.url)
    page.wait_for_function("window.Rapport")
    page.evaluate("token => Rapport.identify(token)", jwt.encode(claims, SECRET, "HS256"))
    page.evaluate("Rapport.open()")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Talk to a person").click()
    expect(frame.get_by_role("log")).to_contain_text("R-10")
    agent = system.agent()
    deadline = time.monotonic() + 10
    while not any((it["customer"] or {}).get("name") == "Ada Hill" for it in agent.tickets()):
        assert time.monotonic() < deadline, agent.tickets()
        time.sleep(0.1)
