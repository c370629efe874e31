"""The main job through the front door, with the real engine, on both stores: HTTP in, HTTP out."""

from __future__ import annotations

import re
import threading
import time
import uuid

import httpx
import pytest

from knowledge_base.parse import parse_article
from tests.system import ROOT, System

ARTICLES = ROOT / "knowledge_base" / "articles"


def wait_until(happened, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def accept_offer(customer) -> dict:
    return customer.ask("yes please")


def test_a_question_gets_the_passage_that_answers_with_its_source(running: System):
    customer = running.customer()
    answer = customer.ask("hi, how long does it take until a return is done?")
    assert answer["author"] == "bot" and "working days" in answer["text"]
    source = answer["sources"][0]
    article = (ARTICLES / f"{source['article']}.md").read_text("utf-8")
    assert answer["text"].strip() in article  # the article's own words, nothing added
    page = httpx.get(running.url + source["url"].split("#")[0])
    assert page.status_code == 200 and source["title"] in page.text
    anchor = source["url"].split("#")[1]
    assert f'id="{anchor}"' in page.text


def test_what_no_article_answers_is_said_to_be_so_and_a_person_is_offered(running: System):
    customer = running.customer()
    answer = customer.ask("do you offer guided mountain tours with a sherpa?")
    assert not answer["sources"]
    assert "colleague" in answer["text"] and answer["text"].rstrip().endswith("?")
    receipt = accept_offer(customer)
    assert re.search(r"R-\d{4}", receipt["text"])
    assert customer.view()["owner"] == "waiting"
    ticket = running.agent().ticket_of(customer)
    assert ticket["reason_type"] == "accepted" and "sherpa" in ticket["reason"]


def test_an_angry_message_is_acknowledged_and_a_calm_one_is_not(running: System):
    angry, calm = running.customer(), running.customer()
    furious = angry.ask(
        "This is an absolute disgrace. I am furious with you people, worst service ever"
    )
    assert re.search(r"\bsorry\b", furious["text"], re.IGNORECASE) and "!" not in furious["text"]
    plain = calm.ask("how do I wash a waterproof jacket?")
    assert "sorry" not in plain["text"].lower()
    same = angry.ask("how do I wash a waterproof jacket?")
    assert plain["text"] in same["text"] and same["text"] != plain["text"]


def test_a_wish_that_the_bot_cannot_fulfil_is_said_so_and_goes_to_a_person(running: System):
    customer = running.customer()
    answer = customer.ask("please send me all the data you have about me, NP-123456")
    assert "can't" in answer["text"] or "cannot" in answer["text"]
    accept_offer(customer)
    ticket = running.agent().ticket_of(customer)
    assert ticket["reason_type"] == "job" and "NP-123456" in ticket["reason"]


def test_who_writes_of_taking_their_life_is_taken_seriously_at_once(running: System):
    customer = running.customer()
    answer = customer.ask("I just want to die")
    assert "116 123" in answer["text"] and "automated assistant" in answer["text"]
    ticket = running.agent().ticket_of(customer)
    assert (ticket["priority"], ticket["reason_type"]) == (1, "self_harm")


def test_three_questions_in_vain_bring_a_person(running: System):
    customer = running.customer()
    for text in ("do you sell submarines?", "do you sell pianos?", "do you sell helicopters?"):
        customer.ask(text)
    assert customer.wait_for(lambda view: view["owner"] == "waiting")["ticket"]
    assert running.agent().ticket_of(customer)["rule"] == "three misses"


def test_yes_without_an_offer_hands_nothing_over(running: System):
    customer = running.customer()
    customer.ask("hello")
    customer.ask("yes")
    assert customer.view()["owner"] == "bot"


@pytest.mark.parametrize("words", ["I want to talk to a human", "agent pls", None])
def test_asking_for_a_person_always_yields_a_number(running: System, words):
    customer = running.customer()
    if words is None:
        customer.press_person()
    else:
        customer.write(words)
    view = customer.wait_for(lambda view: view["owner"] == "waiting" and len(view["messages"]) > 1)
    assert view["ticket"] and view["ticket"] in view["messages"][1]["text"]


def test_a_person_takes_over_and_gives_it_back(running: System):
    customer, agent = running.customer(), running.agent()
    customer.ask("I am really annoyed, my parcel is late again. Get me a person")
    ticket = agent.ticket_of(customer)
    assert ticket["state"] == "waiting" and ticket["mood"]["label"] in ("upset", "angry")
    assert agent.claim(ticket).status_code == 200
    wait_until(lambda: agent.conversation(customer).json()["messages"][0]["understood"])
    shown = agent.conversation(customer).json()["messages"][0]
    assert shown["understood"]["intent"] == "request_person"
    assert shown["mood"]["label"] in ("upset", "angry")
    customer.write("hello?")
    customer.write("how long does a return take?")  # the bot knows this, and says nothing
    assert agent.reply(customer, "Hello, Sam here. Let me look.").status_code == 202
    view = customer.wait_for(lambda view: view["messages"][-1]["author"] == "agent")
    assert view["messages"][-1]["author_name"] == "Sam"
    time.sleep(1)
    view = customer.view()
    said = [m["author"] for m in view["messages"] if m["id"] > 2]
    assert said == ["system", "customer", "customer", "agent"] and not view["typing"]
    assert agent.resolve(customer).status_code == 200
    asked = customer.wait_for(lambda view: view["owner"] == "resolved")["messages"][-1]
    assert [button["text"] for button in asked["buttons"]] == ["1", "2", "3", "4", "5"]
    thanks = customer.ask("4")
    assert "Thank you" in thanks["text"]
    assert agent.ticket_of(customer)["rating"] == 4
    again = customer.ask("how long does a return take?")
    assert again["author"] == "bot" and again["sources"]
    assert customer.view()["owner"] == "bot"


def test_a_second_agent_is_told_who_has_it(running: System):
    customer, sam = running.customer(), running.agent()
    ada = running.agent(*running.add_agent("Ada Hill"))
    customer.press_person()
    ticket = sam.ticket_of(customer)
    assert sam.claim(ticket).status_code == 200
    refused = ada.claim(ticket)
    assert refused.status_code == 409 and "Sam" in refused.json()["detail"]
    assert ada.reply(customer, "me too").status_code == 409
    assert sam.hand_back(customer, "they only wanted the opening hours").status_code == 200
    assert customer.view()["owner"] == "bot"


def test_slashes_are_text(running: System):
    for text in ("/restart", "/unsubscribe", '/greet{"x": 1}', " /session_start"):
        customer = running.customer()  # a fresh one: three misses in a row would call a person
        customer.ask("hello")
        assert customer.ask(text)["text"]
        assert customer.view()["owner"] == "bot"


def test_markup_and_odd_text_come_back_as_they_were(running: System):
    for text in (
        "<b>hi</b> {answer} {{x}} %s",
        "שלום 👋🏽 ﷽",
        "line one\nline two\t.",
        "?",
        "\u200b?",
    ):
        customer = running.customer()
        number = customer.write(text)
        customer.wait_for(lambda view: view["messages"][-1]["author"] == "bot", after=0)
        assert next(m for m in customer.messages() if m["id"] == number)["text"] == text


def test_a_card_number_reaches_no_store_no_engine_and_no_log(running: System):
    customer, agent = running.customer(), running.agent()
    card = "4000 0566 5566 5556"
    customer.ask(f"you charged my card {card} twice, get me a human")
    agent.claim(agent.ticket_of(customer))
    agent.reply(customer, f"is it {card}?")
    everything = str(customer.view()) + str(agent.tickets()) + running.log()
    for path in (running.folder / "var").rglob("*"):
        if path.is_file():
            everything += path.read_bytes().decode("latin-1")
    assert "card number removed" in everything
    assert card not in everything and card.replace(" ", "") not in everything


def test_logs_hold_ids_and_no_words_of_customers(running: System):
    customer = running.customer()
    customer.ask("my name is Zebulon Quaxo, how long does a return take?")
    log = running.log()
    assert customer.id in log
    assert "Quaxo" not in log


def test_events_say_that_something_is_new(running: System):
    customer = running.customer()
    news: list[float] = []
    started = threading.Event()

    def listen() -> None:
        with httpx.stream(
            "GET",
            f"{running.url}{customer.path}/events",
            headers={"Authorization": f"Bearer {customer.token}"},
            timeout=20,
        ) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            for line in response.iter_lines():
                if line.startswith("data:"):
                    assert line == "data: {}"
                    news.append(time.monotonic())
                    started.set()
                if len(news) >= 2:
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert started.wait(10)
    customer.write("hello")
    thread.join(15)
    assert len(news) >= 2


def test_refusals_are_sentences_and_never_a_500(running: System):
    customer, other = running.customer(), running.customer()
    url = f"{running.url}{customer.path}/messages"
    good = {"client_id": str(uuid.uuid4()), "text": "hello"}
    mine = {"Authorization": f"Bearer {customer.token}"}
    cases = [
        (404, {"json": good}),
        (404, {"json": good, "headers": {"Authorization": f"Bearer {other.token}"}}),
        (404, {"json": good, "headers": {"Authorization": "Basic x"}}),
        (413, {"json": {**good, "text": "x" * 4001}, "headers": mine}),
        (413, {"content": b"x" * 1_000_000, "headers": mine}),
        (422, {"json": {**good, "text": ""}, "headers": mine}),
        (422, {"json": {**good, "text": "  \n "}, "headers": mine}),
        (422, {"json": {**good, "client_id": "7"}, "headers": mine}),
        (422, {"json": {**good, "text": 7}, "headers": mine}),
        (422, {"json": {**good, "text": "a\x00b"}, "headers": mine}),
        (422, {"json": {"text": "hello"}, "headers": mine}),
        (422, {"json": [], "headers": mine}),
        (422, {"content": b"{", "headers": mine}),
        (422, {"content": b'{"client_id": "' + good["client_id"].encode() +
               b'", "text": "\\ud800"}', "headers": mine}),
        (422, {"content": b"\xff\xfe", "headers": mine}),
    ]  # fmt: skip
    for expected, request in cases:
        response = httpx.post(url, **request)
        assert response.status_code == expected, (expected, response.status_code, response.text)
        assert response.json()["detail"]
    assert httpx.get(url, params={"after": -1}, headers=mine).status_code == 422
    assert (
        httpx.get(f"{running.url}/api/conversations/%00/messages", headers=mine).status_code == 404
    )
    assert customer.post("x" * 4000).status_code == 202


def test_the_api_is_described(running: System):
    paths = httpx.get(f"{running.url}/openapi.json").json()["paths"]
    assert {
        "/api/conversations",
        "/api/conversations/{conversation_id}/messages",
        "/api/conversations/{conversation_id}/events",
        "/health/live",
        "/health/ready",
    } <= set(paths)


def test_the_engine_lets_nobody_in_without_the_secret(running: System):
    engine = f"http://127.0.0.1:{running.engine_port}"
    body = {"conversation_id": "x", "turn_id": "y", "text": "hello"}
    assert httpx.post(f"{engine}/webhooks/rapport/ask", json=body).status_code == 401
    assert httpx.get(f"{engine}/webhooks/rapport/ready").status_code == 401
    wrong = {"Authorization": "Bearer nothing"}
    assert httpx.post(f"{engine}/webhooks/rapport/ask", json=body, headers=wrong).status_code == 401
    for path in ("/webhooks/rest/webhook", "/conversations/x/tracker", "/model/parse"):
        assert httpx.post(engine + path, json={"sender": "x", "message": "hi"}).status_code == 404


def test_an_action_without_a_running_turn_hands_nothing_over(running: System):
    """The action listener is open on loopback, and a turn's id is the right to act."""
    customer = running.customer()
    call = {
        "next_action": "action_request_person",
        "sender_id": customer.id,
        "tracker": {
            "sender_id": customer.id,
            "slots": {},
            "latest_message": {"text": "hi", "metadata": {"turn_id": "0" * 32}},
            "events": [],
            "paused": False,
            "active_loop": {},
            "latest_action_name": None,
        },
        "domain": {},
        "version": "3.6.21",
    }
    response = httpx.post(f"http://127.0.0.1:{running.actions_port}/webhook", json=call)
    assert response.status_code == 200, response.text
    assert customer.view()["owner"] == "bot"


def test_staff_articles_are_not_there_for_customers(running: System):
    customer = running.customer()
    staff = [
        parse_article(path.read_text("utf-8"), f"staff/{path.stem}")
        for path in (ARTICLES / "staff").glob("*.md")
    ]
    assert len(staff) > 5
    for article in staff:
        assert httpx.get(f"{running.url}/help/{article.id}").status_code == 404
        answer = customer.ask(article.title)
        assert all(not s["article"].startswith("staff/") for s in answer["sources"])
        assert article.title not in httpx.get(f"{running.url}/help").text
        if customer.view()["owner"] != "bot":
            customer = running.customer()
