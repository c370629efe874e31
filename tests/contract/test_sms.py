"""Customers who text: through the webhook and the vendor's API, on a real store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

import channels.sms.channel as sms
from bot.links import code
from bot.simulate.twilio import NUMBER, error_after, reset_after, reset_before, slow, status
from bot.store import ledger, schema
from channels.sms import Hearing, checks, make_vendor, wording
from channels.sms.words import Wish
from tests.conftest import ROOT
from tests.contract.shop import RETURNS
from tests.contract.texting import PUBLIC, TextShop, text_shop

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextShop]:
    """One shop for all: each test texts from a number of its own."""
    folder = tmp_path_factory.mktemp("sms")
    with pytest.MonkeyPatch.context() as patch, text_shop(migrated_sqlite, folder, patch) as shop:
        yield shop


@pytest.fixture(autouse=True)
def no_faults_left(shop: TextShop) -> None:
    """What went wrong for one test, or was to, does not for the next."""
    with shop.twilio.lock:
        shop.twilio.faults.clear()


def test_a_question_is_answered_with_a_short_link(shop):
    number = shop.number()
    answer = shop.twilio.texts(number, RETURNS)
    assert answer.status_code == 200 and "<Response/>" in answer.text
    (text,) = shop.twilio.wait_for(number)
    words, link = text.split("\n")
    assert words == "5 days" and link.startswith(f"{PUBLIC}/s/")
    (message,) = shop.taken(number)
    assert message.sender == NUMBER and message.callback == f"{PUBLIC}/channels/sms/status"
    assert shop.until(lambda: shop.deliveries(number) == ["sent"])


def test_short_links_lead_to_articles(shop):
    passage = shop.gateway.knowledge_base.shelf("public").passages[3]
    found = shop.client.get(f"/s/{code(passage.url)}", follow_redirects=False)
    assert found.status_code == 302 and found.headers["location"] == passage.url
    staff = {it.url for it in shop.gateway.knowledge_base.shelf("staff").passages}
    staff -= {it.url for it in shop.gateway.knowledge_base.shelf("public").passages}
    for url in sorted(staff)[:20]:
        hidden = shop.client.get(f"/s/{code(url)}", follow_redirects=False)
        assert hidden.headers["location"] == "/help"


def test_the_same_text_many_times_at_once_is_one(shop):
    number, fields = shop.number(), shop.twilio.fields("", RETURNS)
    fields["From"] = number
    threads = [threading.Thread(target=shop.twilio.post, args=(fields,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.twilio.post(fields).status_code == 200
    shop.twilio.wait_for(number)
    shop.twilio.texts(number, "thanks")
    shop.twilio.wait_for(number, 2)
    assert shop.messages(number) == [RETURNS, "thanks"]
    assert len(shop.rows(schema.conversations, address=number)) == 1


def test_a_person_takes_over_by_text(shop):
    number = shop.number()
    shop.twilio.texts(number, "what about my tent?")
    shop.twilio.wait_for(number)
    found = shop.conversation(number).id
    shop.gateway.support.request_person(
        found, cause=f"t/{number}", reason_type="asked", reason="Asked for a person."
    )
    receipt = shop.twilio.wait_for(number, 2)[1]
    assert "R-1" in receipt and "window" not in receipt
    shop.claim(number)
    assert shop.reply(number, "Sam here – “one moment”, please…").status_code == 202
    texts = shop.twilio.wait_for(number, 4)
    assert texts[3] == 'Sam here - "one moment", please...'
    shop.twilio.texts(number, RETURNS)  # the bot knows this, and says nothing
    shop.until(lambda: shop.messages(number)[-1] == RETURNS)
    assert shop.post(f"conversations/{found}/resolve").status_code == 200
    asked = shop.twilio.wait_for(number, 5)[4]
    assert "1" in asked and "5" in asked and "Reply with the number" not in asked
    shop.twilio.texts(number, "5")
    shop.until(lambda: shop.ticket(number).rating == 5)


def test_choices_are_answered_by_their_number(shop):
    number = shop.number()
    shop.twilio.texts(number, "hello")
    shop.twilio.wait_for(number)
    found = shop.conversation(number).id
    buttons = [{"title": title, "text": title} for title in ("Returns to Norway", "Another thing")]
    with shop.gateway.store.database.transaction() as tx:
        now = shop.gateway.store.database.now(tx)
        ledger.say(tx, found, "bot", "Which one?", now=now, extra={"buttons": buttons})
    shop.gateway.support.wake()
    offered = shop.twilio.wait_for(number, 2)[1]
    assert offered == "Which one?\nReply with the number:\n1 Returns to Norway\n2 Another thing"
    shop.twilio.texts(number, " 2. ")
    shop.until(lambda: shop.messages(number)[-1] == "Another thing")
    (row,) = [it for it in shop.rows(schema.messages) if it.text == "Another thing"]
    assert row.extra == {"typed": "2."}
    shop.twilio.texts(number, "7")
    shop.until(lambda: shop.messages(number)[-1] == "7")


@pytest.mark.parametrize(
    "words", ["STOP", "Stop.", "please stop texting me", "s t o p", "UNSUBSCRIBE"]
)
def test_stop_is_confirmed_once_and_kept(shop, words):
    number = shop.number()
    shop.twilio.texts(number, "hello")
    shop.twilio.wait_for(number)
    shop.twilio.texts(number, words)
    confirmed = shop.twilio.wait_for(number, 2)[1]
    assert "no more texts" in confirmed and "START" in confirmed
    shop.twilio.texts(number, words)  # once more: nothing is said
    shop.twilio.texts(number, RETURNS)  # nor is this answered
    shop.until(lambda: "failed" in shop.deliveries(number))
    assert len(shop.twilio.to(number)) == 2
    (row,) = shop.rows(schema.opt_outs, address=number)
    assert row.stopped and row.words == words and row.source == "customer"
    shop.twilio.texts(number, "start")
    assert "again" in shop.twilio.wait_for(number, 3)[2]
    shop.twilio.texts(number, RETURNS)
    assert "5 days" in shop.twilio.wait_for(number, 4)[3]


def test_yes_and_cancel_my_order_are_for_the_bot(shop):
    number = shop.number()
    for count, words in enumerate(("yes", "cancel my order", "I'll stop by the store"), start=1):
        shop.twilio.texts(number, words)
        shop.twilio.wait_for(number, count)
    assert shop.rows(schema.opt_outs, address=number) == []
    assert len(shop.rows(schema.turns, conversation_id=shop.conversation(number).id)) == 3


def test_what_the_vendor_answers_itself_is_not_answered_again(shop):
    number = shop.number()
    for words, kind in (("STOP", "STOP"), ("help", "HELP")):
        shop.twilio.texts(number, words, OptOutType=kind)
    assert shop.rows(schema.opt_outs, address=number)[0].stopped
    assert shop.deliveries(number) == [] and shop.twilio.to(number) == []


def test_help_says_who_this_is(shop):
    number = shop.number()
    shop.twilio.texts(number, "HELP")
    (text,) = shop.twilio.wait_for(number)
    assert "Northpeak" in text and "STOP" in text and PUBLIC in text


def test_who_opted_out_at_the_vendor_has_opted_out(shop):
    number = shop.number()
    shop.twilio.opted_out.add(number)
    shop.twilio.texts(number, RETURNS)
    shop.until(lambda: shop.rows(schema.opt_outs, address=number))
    (row,) = shop.rows(schema.opt_outs, address=number)
    assert row.stopped and row.source == "vendor" and "21610" in row.words
    calls = len(shop.twilio.calls)
    shop.twilio.texts(number, "thanks")
    shop.until(lambda: shop.deliveries(number) == ["failed", "failed"])
    assert not any(form.get("To") == number for *_, form in shop.twilio.calls[calls:])


@pytest.mark.parametrize("fault", [reset_after, error_after], ids=["reset", "500"])
def test_what_broke_after_it_was_sent_is_looked_up_and_not_sent_twice(shop, fault):
    number = shop.number()
    shop.twilio.fail(fault)
    shop.twilio.texts(number, RETURNS)
    shop.until(lambda: shop.deliveries(number) == ["sent"], 20)
    assert len(shop.twilio.to(number)) == 1
    (row,) = shop.rows(schema.sendings, address=number)
    assert row.state == "taken" and row.vendor_id == shop.taken(number)[0].sid


@pytest.mark.parametrize(
    "fault", [reset_before, status(503), status(429)], ids=["reset", "503", "429"]
)
def test_what_was_never_taken_is_sent_again(shop, fault):
    number = shop.number()
    shop.twilio.fail(fault)
    shop.twilio.texts(number, RETURNS)
    assert len(shop.twilio.wait_for(number, 1, 20)) == 1
    shop.until(lambda: shop.deliveries(number) == ["sent"])


def test_while_it_cannot_be_looked_up_nothing_is_sent(shop):
    number = shop.number()
    shop.twilio.fail(reset_after, status(500), status(500), status(500))
    shop.twilio.texts(number, RETURNS)
    shop.until(lambda: shop.deliveries(number) == ["unknown"])
    shop.twilio.texts(number, "thanks")  # and what comes behind it waits
    shop.until(lambda: shop.deliveries(number) == ["sent", "sent"], 40)
    texts = shop.twilio.to(number)
    assert len(texts) == 2 and "5 days" in texts[0]


def test_a_vendor_that_is_slow_for_one_holds_up_nobody(shop):
    one, other = shop.number(), shop.number()
    calls = len(shop.twilio.calls)
    shop.twilio.fail(slow(3))
    shop.twilio.texts(one, RETURNS)
    shop.until(lambda: len(shop.twilio.calls) > calls)
    shop.twilio.texts(other, RETURNS)
    shop.twilio.wait_for(other, seconds=2.5)
    assert shop.twilio.to(one) == []
    shop.twilio.wait_for(one)


def test_a_number_that_takes_no_texts_is_told_to_whoever_has_it(shop):
    number = shop.number()
    shop.twilio.refuses[number] = 21614
    shop.twilio.texts(number, RETURNS)
    shop.until(lambda: shop.deliveries(number) == ["failed"])
    found = shop.conversation(number).id
    shop.gateway.support.request_person(
        found, cause=f"t/{number}", reason_type="asked", reason="Asked for a person."
    )
    shop.until(lambda: shop.deliveries(number) == ["failed", "failed"])
    events = shop.rows(schema.ticket_events, ticket_id=shop.ticket(number).id)
    assert any("no mobile number" in str(it.data) for it in events if it.kind == "undelivered")


def test_states_come_in_any_order_and_only_go_up(shop):
    number = shop.number()
    shop.twilio.texts(number, RETURNS)
    shop.twilio.wait_for(number)
    (message,) = shop.taken(number)
    for state in ("delivered", "queued", "sent", "sending", "delivered"):
        assert shop.twilio.tells(message, state).status_code == 204
    (row,) = shop.rows(schema.vendor_states, vendor_id=message.sid)
    assert (row.vendor_id, row.state) == (message.sid, "delivered")
    assert shop.twilio.tells(message, "on the moon").status_code == 204
    forged = shop.client.post("/channels/sms/status", data={"MessageSid": message.sid})
    assert forged.status_code == 403


def test_agents_see_what_did_not_arrive(shop):
    number = shop.number()
    shop.twilio.texts(number, RETURNS)
    shop.twilio.wait_for(number)
    found = shop.conversation(number).id
    shop.gateway.support.request_person(found, cause=f"t/{number}", reason_type="asked", reason="?")
    shop.twilio.wait_for(number, 2)
    shop.until(lambda: set(shop.deliveries(number)) == {"sent"})
    first, second = shop.taken(number)
    shop.twilio.tells(first, "undelivered", 30003)
    shop.twilio.tells(second, "delivered")
    shown = shop.desk.get(f"/desk/api/conversations/{found}").json()["messages"]
    states = [it["delivery"] for it in shown]
    assert states[0] is None
    assert states[1]["state"] == "undelivered" and "off or out of reach" in states[1]["words"]
    assert states[2]["state"] == "delivered"


def test_pictures_are_refused_politely(shop):
    number = shop.number()
    media = {"NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "image/jpeg"}
    shop.twilio.texts(number, "", **media)
    assert shop.twilio.wait_for(number) == [wording.NO_MEDIA]
    shop.twilio.texts(number, RETURNS, **media)
    texts = shop.twilio.wait_for(number, 3)
    assert texts[1] == wording.NO_MEDIA and len(texts) == 3
    assert shop.messages(number)[0] == "[1 not opened: image/jpeg]"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (None, "(a text without words)"),
        ("  \n", "(a text without words)"),
        ("a\x00b", "ab"),
        ("\u202eevil\u202c ok", "\u202eevil\u202c ok"),
        ("😀" * 50, "😀" * 50),
    ],
    ids=["none", "blank", "null", "right-to-left", "emoji"],
)
def test_odd_texts_are_kept_and_answered(shop, body, kept):
    number = shop.number()
    assert shop.twilio.texts(number, body).status_code == 200
    assert len(shop.twilio.wait_for(number)) == 1
    assert shop.messages(number) == [kept]


def test_a_text_beyond_all_measure_is_kept(shop):
    number = shop.number()
    assert shop.twilio.texts(number, "word " * 20_000).status_code == 200
    shop.twilio.wait_for(number)
    assert len(shop.messages(number)[0]) > 90_000


@pytest.mark.parametrize("sender", ["AMAZON", "client:x", "+1", "12"])
def test_a_sender_that_cannot_be_answered_is_kept(shop, sender):
    assert shop.twilio.texts(sender, RETURNS).status_code == 200
    shop.until(lambda: shop.deliveries(sender) == ["failed"])
    assert shop.messages(sender) == [RETURNS] and shop.taken(sender) == []


def test_a_request_without_its_names_is_no_500(shop):
    fields = shop.twilio.fields("+447700900001", "hi")
    for name in ("MessageSid", "SmsSid", "SmsMessageSid"):
        del fields[name]
    assert shop.twilio.post(fields).status_code == 400
    assert shop.rows(schema.conversations, address="+447700900001") == []


def test_a_call_hears_how_to_reach_us(shop):
    answer = shop.twilio.post(
        {"CallSid": "CA1", "AccountSid": next(iter(shop.twilio.accounts))}, "/voice"
    )
    assert answer.status_code == 200 and "<Say" in answer.text and "text message" in answer.text
    assert shop.client.post("/channels/sms/voice").status_code == 403


def test_card_numbers_are_stored_nowhere(shop):
    number = shop.number()
    shop.twilio.texts(number, "my card is 4111 1111 1111 1111")
    shop.twilio.wait_for(number)
    kept = str(shop.messages(number)) + str(shop.rows(schema.sendings, address=number))
    assert "4111" not in kept
    other = shop.number()
    shop.twilio.texts(other, "stop texting 4111 1111 1111 1111 to me")
    assert "4111 1111" not in str(shop.rows(schema.opt_outs)) + str(shop.messages(other))


# The account, the day's budget, the night.


def findings(shop: TextShop, **changes: str) -> str:
    settings = shop.gateway.settings.model_copy(update=changes)
    found = checks.check(settings, make_vendor(settings))
    return "\n".join(f"{it.level}: {it.what}; {it.fix}" for it in found)


def test_the_check_says_what_is_wrong_with_the_account(shop):
    number, right = shop.twilio.numbers[NUMBER], f"{PUBLIC}/channels/sms"
    assert (
        f"Twilio calls nothing; in Twilio's console set the number's webhook for messages to {right}"
        in (findings(shop))
    )
    number.update(sms_url="https://old.example/sms", voice_url=f"{right}/voice")
    assert "error: for messages Twilio calls https://old.example/sms" in findings(shop)
    number.update(sms_url=right, sms_method="GET")
    assert "by GET" in findings(shop)
    number.update(sms_method="POST")
    assert findings(shop) == f"ok: Twilio calls {right} for {NUMBER}; "
    wrong = findings(shop, twilio_auth_token=SecretStr("wrong"))
    assert wrong.startswith("error: the account SID or the auth token is wrong")
    assert "is no number of this account" in findings(shop, sms_from="+441632960999")
    assert "PUBLIC_URL is empty" in findings(
        shop, public_url="", twilio_api_url="https://api.twilio.com"
    )
    shop.twilio.fail(status(500), at="/IncomingPhoneNumbers")
    assert findings(shop).startswith("warning: Twilio cannot be asked")


def test_the_check_looks_at_a_messaging_service_too(shop):
    sid, right = f"MG{'5' * 32}", f"{PUBLIC}/channels/sms"
    assert f"the account has no Messaging Service {sid}" in findings(shop, sms_from=sid)
    service = shop.twilio.services.setdefault(sid, {"inbound_request_url": None})
    assert f"error: for incoming texts {sid} calls nothing" in findings(shop, sms_from=sid)
    service.update(inbound_request_url="https://old.example/sms", inbound_method="POST")
    assert "calls https://old.example/sms" in findings(shop, sms_from=sid)
    service.update(inbound_request_url=right, inbound_method="GET")
    assert "calls by GET" in findings(shop, sms_from=sid)
    service.update(inbound_method="POST")
    assert findings(shop, sms_from=sid) == f"ok: Twilio calls {right} for {sid}; "
    service.update(use_inbound_webhook_on_number=True)
    assert "leaves incoming texts to the webhook of each" in findings(shop, sms_from=sid)


def told(shop: TextShop, number: str, text: str, *, author: str = "system") -> None:
    """Something that the service says by itself."""
    database = shop.gateway.store.database
    with database.transaction() as tx:
        found = shop.conversation(number).id
        ledger.say(tx, found, author, text, now=database.now(tx) - 20 * 60_000)


def change(shop: TextShop, **values: object) -> None:
    channel = shop.gateway.courier._channels["sms"]
    for name, value in values.items():
        setattr(channel, f"_{name}", value)


@pytest.fixture
def small_budget(shop: TextShop) -> Iterator[None]:
    change(shop, budget=sms.Budget(number=2, country=1000, countries=frozenset({"+44"})))
    yield
    change(shop, budget=sms.Budget())


def test_a_day_has_a_budget_for_each_number(shop, small_budget):
    number = shop.number()
    for words in ("hello", RETURNS, RETURNS):
        shop.twilio.texts(number, words)
    shop.until(lambda: shop.deliveries(number) == ["sent", "sent", "held"])
    (held,) = [
        it
        for it in shop.rows(schema.deliveries, conversation_id=shop.conversation(number).id)
        if it.state == "held"
    ]
    assert held.due_at > time.time() * 1000 and "budget" in held.error
    assert len(shop.twilio.to(number)) == 2
    abroad = "+4791234567"
    shop.twilio.texts(abroad, RETURNS)
    shop.until(lambda: shop.deliveries(abroad) == ["failed"])


@pytest.fixture
def night(shop: TextShop) -> Iterator[None]:
    now = datetime.now(UTC)
    around = ((now - timedelta(hours=2)).time(), (now + timedelta(hours=2)).time())
    change(shop, quiet=around)
    yield
    change(shop, quiet=None)


def test_at_night_only_answers_go_out(shop, night):
    number = shop.number()
    shop.twilio.texts(number, RETURNS)
    assert len(shop.twilio.wait_for(number)) == 1  # an answer
    database = shop.gateway.store.database
    with database.transaction() as tx:  # the customer wrote an hour ago
        tx.execute(
            update(schema.messages)
            .where(schema.messages.c.conversation_id == shop.conversation(number).id)
            .values(created_at=database.now(tx) - 3_600_000)
        )
    told(shop, number, "You are still in the queue.")
    shop.until(lambda: shop.deliveries(number) == ["sent", "held"])
    told(shop, number, "Sam here: it is on its way.", author="agent")
    assert (
        len(shop.twilio.wait_for(number, 2)) == 2
    )  # an agent's words, and they do not wait behind
    with database.transaction() as tx:
        tx.execute(
            update(schema.deliveries).where(schema.deliveries.c.state == "held").values(due_at=1)
        )
    change(shop, quiet=None)  # in the morning nobody needs to be told that they wait
    shop.until(lambda: "held" not in shop.deliveries(number))
    assert len(shop.twilio.to(number)) == 2


def test_free_wordings_of_somebody_who_has_not_seen_the_rules(shop):
    """Held out: nothing is tuned on them. What was measured stands in channels/sms/README.md."""
    hearing = Hearing(shop.gateway.encoder)
    heard = {"stop": [], "other": []}
    for line in (ROOT / "tests" / "data" / "stop_wordings.tsv").read_text("utf-8").splitlines():
        label, text = line.split("\t", 1)
        heard[label].append(hearing.wish_in(text) is Wish.STOP)
    assert len(heard["stop"]) >= 200 and sum(heard["stop"]) / len(heard["stop"]) >= 0.9
    assert sum(heard["other"]) / len(heard["other"]) <= 0.04
    for text in (
        "cancel my order",
        "I'll stop by the store",
        "stop by the shop?",
        "yes",
        "STOPPED",
    ):
        assert (hearing.wish_in(text) is Wish.STOP) == (text == "STOPPED")
