"""The widget as a customer uses it, in Chromium, with the real engine behind it."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from tests.system import System


def launcher(page: Page) -> Locator:
    return page.get_by_role("button", name="Northpeak support")


def open_chat(page: Page, system: System) -> FrameLocator:
    page.goto(system.url)
    launcher(page).click()
    chat = page.frame_locator("rapport-chat iframe")
    expect(chat.get_by_role("textbox", name="Your message")).to_be_focused()
    return chat


def say(chat: FrameLocator, text: str) -> None:
    box = chat.get_by_role("textbox", name="Your message")
    box.fill(text)
    box.press("Enter")


def log(chat: FrameLocator) -> Locator:
    return chat.get_by_role("log")


def test_a_question_is_answered_with_a_source_that_opens_the_article(page, system):
    chat = open_chat(page, system)
    say(chat, "how long does a return take?")
    expect(log(chat)).to_contain_text("working days")
    source = log(chat).get_by_role("link", name=re.compile("return", re.IGNORECASE)).last
    with page.context.expect_page() as opened:
        source.click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("return")


def test_the_conversation_survives_reload_and_shows_in_a_second_tab(page, system):
    chat = open_chat(page, system)
    say(chat, "do you deliver to Norway?")
    expect(log(chat)).to_contain_text("Norway and Switzerland")
    box = chat.get_by_role("textbox", name="Your message")
    box.fill("a draft that I did not send")
    page.wait_for_timeout(600)
    page.reload()
    launcher(page).click()
    expect(log(chat)).to_contain_text("Norway and Switzerland")
    expect(box).to_have_value("a draft that I did not send")
    second = page.context.new_page()
    other = open_chat(second, system)
    expect(log(other)).to_contain_text("Norway and Switzerland")
    say(other, "hello from the other tab")
    expect(log(chat)).to_contain_text("hello from the other tab")


def test_a_person_takes_over_in_front_of_the_customers_eyes(page, system):
    chat = open_chat(page, system)
    chat.get_by_role("button", name="Talk to a person").click()
    expect(log(chat)).to_contain_text("Your number is R-")
    agent = system.agent()
    ticket = max(agent.tickets(), key=lambda ticket: ticket["id"])
    assert agent.claim(ticket).status_code == 200
    expect(log(chat)).to_contain_text("Sam has joined")
    path = f"conversations/{ticket['conversation_id']}"
    assert (
        agent.post(
            f"{path}/replies",
            {"client_id": "6f1f6c1e-0000-4000-8000-000000000001", "text": "Hi, Sam here"},
        ).status_code
        == 202
    )
    expect(log(chat)).to_contain_text("Hi, Sam here")
    say(chat, "how long does a return take?")
    page.wait_for_timeout(1500)
    expect(log(chat)).not_to_contain_text("working days")
    assert agent.post(f"{path}/resolve").status_code == 200
    chat.get_by_role("button", name="5", exact=True).click()
    expect(log(chat)).to_contain_text("Thank you for telling us")


def test_what_could_not_be_sent_is_kept_and_sent_once(page, system):
    chat = open_chat(page, system)
    say(chat, "hello")
    expect(log(chat).locator("article")).not_to_have_count(2)
    page.context.set_offline(True)
    say(chat, "sent while offline")
    expect(log(chat)).to_contain_text("sent while offline")
    page.wait_for_timeout(1000)
    page.context.set_offline(False)
    frame = next(frame for frame in page.frames if "/widget/frame" in frame.url)
    wait_for_stored(frame, system, "sent while offline")


def wait_for_stored(frame: Frame, system: System, text: str) -> None:
    """Until the server has the message exactly once."""
    for _ in range(100):
        kept = frame.evaluate("() => Object.values(localStorage).join('\\n')")
        ids = re.search(r'"id":"(\w{32})","token":"([\w-]+)"', kept)
        if ids:
            view = httpx.get(
                f"{system.url}/api/conversations/{ids[1]}/messages",
                headers={"Authorization": f"Bearer {ids[2]}"},
            ).json()
            if [m["text"] for m in view["messages"]].count(text) == 1:
                return
        frame.page.wait_for_timeout(200)
    raise AssertionError("the message did not arrive exactly once")


def test_the_keyboard_alone_is_enough(page, system):
    page.goto(system.url)
    launcher(page).focus()
    page.keyboard.press("Enter")
    chat = page.frame_locator("rapport-chat iframe")
    expect(chat.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(log(chat).locator("article")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(launcher(page)).to_be_focused()
    expect(launcher(page)).to_have_attribute("aria-expanded", "false")


def test_it_fills_a_phone_and_follows_dark_mode(chromium, system):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True
    )
    page = context.new_page()
    open_chat(page, system)
    box = page.locator("rapport-chat iframe").bounding_box()
    assert (box["width"], box["height"]) == (390, 844)
    frame = next(frame for frame in page.frames if "/widget/frame" in frame.url)
    red, green, blue = frame.evaluate(
        "() => getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number)"
    )[:3]
    assert red + green + blue < 200
    assert frame.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_markup_from_a_customer_is_text(page, system):
    chat = open_chat(page, system)
    say(chat, "<img src=x onerror=alert(1)> **not bold** hello")
    expect(log(chat)).to_contain_text("<img src=x onerror=alert(1)> **not bold** hello")
    assert chat.locator("img").count() == 0


@pytest.fixture
def foreign_shop(system: System) -> Iterator[str]:
    """Another site, on another origin, with a strict policy of its own; not allowed to embed."""
    policy = f"default-src 'none'; script-src {system.url}; frame-src {system.url}"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            script = f'<script src="{system.url}/widget.js" async></script>'
            self.wfile.write(f"<h1>Other</h1>{'' if self.path == '/plain' else script}".encode())

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_a_host_page_keeps_its_globals_and_may_only_embed_when_allowed(
    chromium, system, foreign_shop
):
    page = chromium.new_context().new_page()
    page.goto(f"{foreign_shop}/plain")
    before = set(page.evaluate("() => Object.getOwnPropertyNames(window)"))
    page.goto(foreign_shop)
    page.wait_for_selector("rapport-chat", state="attached")
    after = set(page.evaluate("() => Object.getOwnPropertyNames(window)"))
    assert {name for name in after - before if not name.isdigit()} == {"Rapport"}
    page.get_by_role("button", name="Chat with us").click()
    page.wait_for_timeout(1500)
    assert not any("/widget/frame" in frame.url for frame in page.frames)  # frame-ancestors said no
    page.context.close()


def test_every_page_forbids_what_it_does_not_need(system):
    for path in ("/", "/help", "/help/returns/return-an-item", "/widget/frame", "/desk/login"):
        policy = httpx.get(system.url + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
    ancestors = httpx.get(f"{system.url}/widget/frame").headers["content-security-policy"]
    assert system.url in ancestors and "*" not in ancestors


def test_the_widget_is_small(system):
    """Gzipped: the loader at most 5 kB, everything together at most 30 kB."""

    def size(path: str) -> int:
        answer = httpx.get(system.url + path, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
        return answer.num_bytes_downloaded

    loader = size("/widget.js")
    frame = httpx.get(f"{system.url}/widget/frame").text
    files = set(re.findall(r'"(/widget/[\w.-]+)"', frame))
    seen: set[str] = set()
    total = loader + size("/widget/frame")
    while files - seen:
        path = (files - seen).pop()
        seen.add(path)
        total += size(path)
        if path.endswith(".js"):
            text = httpx.get(system.url + path).text
            files |= {f"/widget/{name}" for name in re.findall(r'from "\./([\w.-]+)"', text)}
    assert len(seen) > 5
    assert loader <= 5_000 and total <= 30_000, (loader, total)
