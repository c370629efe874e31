"""One person, several addresses: signed in on the shop's site, proven by a code; and nobody else."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from sqlalchemy import update

from bot.store import schema
from tests.conftest import ROOT
from tests.contract.shop import RETURNS
from tests.contract.test_channels import OnTheWeb, until
from tests.contract.texting import TextShop, text_shop

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
SECRET = "a secret of the shop's own site, 40 chars"


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextShop]:
    folder = tmp_path_factory.mktemp("person")
    with (
        pytest.MonkeyPatch.context() as patch,
        text_shop(migrated_sqlite, folder, patch, IDENTITY_SECRET=SECRET) as shop,
    ):
        yield shop


def token(subject: object = "ada-1", *, secret: str = SECRET, hours: float = 1, **more: Any) -> str:
    claims = {"sub": subject, "exp": time.time() + 3600 * hours, "name": "Ada Hill", **more}
    return jwt.encode(claims, secret, algorithm="HS256")


def identify(customer: OnTheWeb, signed: str) -> Any:
    path = f"{customer.path}/identity"
    return customer.shop.client.post(path, json={"token": signed}, headers=customer.token)


def row_of(customer: OnTheWeb) -> Any:
    (row,) = customer.shop.rows(schema.conversations, id=customer.conversation)
    return row


def phone(customer: OnTheWeb, number: str) -> Any:
    path = f"{customer.path}/phone"
    return customer.shop.client.post(path, json={"number": number}, headers=customer.token)


def confirm(customer: OnTheWeb, code: str) -> Any:
    path = f"{customer.path}/phone/confirm"
    return customer.shop.client.post(path, json={"code": code}, headers=customer.token)


def code_in(text: str) -> str:
    return re.search(r"\b\d{6}\b", text)[0]


def test_who_is_signed_in_at_the_shop_is_known_to_agents(shop):
    customer = OnTheWeb(shop)
    assert identify(customer, token(email="ada@shop.example")).status_code == 204
    customer.write("what about my tent?")
    until(customer.got)
    shop.gateway.support.request_person(
        customer.conversation, cause=uuid.uuid4().hex, reason_type="asked", reason="?"
    )
    shown = shop.desk.get(f"/desk/api/conversations/{customer.conversation}").json()
    assert shown["ticket"]["customer"] == {"name": "Ada Hill", "email": "ada@shop.example"}
    again = OnTheWeb(shop)
    assert identify(again, token()).status_code == 204
    assert row_of(again).customer_id == row_of(customer).customer_id
    shop.gateway.support.request_person(
        again.conversation, cause=uuid.uuid4().hex, reason_type="asked", reason="?"
    )
    shown = shop.desk.get(f"/desk/api/conversations/{again.conversation}").json()
    assert [it["conversation_id"] for it in shown["earlier"]] == [customer.conversation]


@pytest.mark.parametrize(
    "signed",
    [
        token(secret="another secret of the same length, or so"),
        token(hours=-1),
        token(hours=72),
        token(""),
        token("x" * 200),
        jwt.encode({"sub": "ada-1", "exp": time.time() + 60}, "", algorithm="none"),
        jwt.encode({"sub": "ada-1"}, SECRET, algorithm="HS256"),
        jwt.encode({"exp": time.time() + 60}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "ada-1", "exp": time.time() + 60}, SECRET, algorithm="HS512"),
        "no token",
    ],
    ids=[
        "secret",
        "old",
        "long",
        "nobody",
        "too long",
        "none",
        "no end",
        "no sub",
        "other",
        "text",
    ],
)
def test_what_proves_nothing(shop, signed):
    customer = OnTheWeb(shop)
    assert identify(customer, signed).status_code == 403
    assert row_of(customer).customer_id is None


def test_a_conversation_is_not_taken_over_by_somebody_else(shop):
    customer = OnTheWeb(shop)
    assert identify(customer, token("ada-2")).status_code == 204
    assert identify(customer, token("bo-2")).status_code == 409
    mine = row_of(customer).customer_id
    (row,) = shop.rows(schema.customers, id=mine)
    assert row.subject == "ada-2"


def test_going_on_by_text_without_a_repeated_question(shop):
    customer, number = OnTheWeb(shop), "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    customer.write(RETURNS)
    until(customer.got)
    sent = phone(customer, "0" + number[3:])  # as it is typed at home
    assert sent.status_code == 202 and number not in sent.text
    (text,) = shop.twilio.wait_for(number)
    assert confirm(customer, code_in(text)).status_code == 204
    assert "go on here" in shop.twilio.wait_for(number, 2)[1]
    shop.twilio.texts(number, "thanks")
    until(lambda: len(shop.twilio.to(number)) == 3)
    assert row_of(customer).channel == "sms"
    said = [row.text for row in shop.rows(schema.messages, conversation_id=customer.conversation)]
    assert RETURNS in said and "thanks" in said  # one conversation
    customer.write(RETURNS)  # and the page goes on, too
    until(lambda: len(shop.twilio.to(number)) == 4)
    kept = str(shop.rows(schema.messages)) + str(shop.rows(schema.sendings))
    assert code_in(text) not in kept + str(shop.rows(schema.codes))
    assert phone(customer, number).status_code == 409  # it goes there already


def test_codes_cannot_be_guessed(shop):
    customer, number = OnTheWeb(shop), "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    assert confirm(customer, "123456").status_code == 404
    assert phone(customer, number).status_code == 202
    right = code_in(shop.twilio.wait_for(number)[0])
    wrong = "000000" if right != "000000" else "111111"
    answers = [confirm(customer, wrong) for _ in range(6)]
    assert [it.status_code for it in answers] == [409] * 5 + [429]
    assert "4 tries are left" in answers[0].text and "no try is left" in answers[4].text
    assert confirm(customer, right).status_code == 429  # too late
    assert row_of(customer).channel == "web"


def test_codes_run_out_and_are_few(shop):
    customer, number = OnTheWeb(shop), "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    for _ in range(3):
        assert phone(customer, number).status_code == 202
    assert phone(customer, number).status_code == 429
    assert phone(OnTheWeb(shop), number).status_code == 429  # nor from another conversation
    with shop.gateway.store.database.transaction() as tx:
        mine = schema.codes.c.conversation_id == customer.conversation
        tx.execute(update(schema.codes).where(mine).values(expires_at=1))
    right = code_in(shop.twilio.wait_for(number, 3)[2])
    assert confirm(customer, right).status_code == 429


def test_a_code_is_good_for_its_own_conversation_only(shop):
    customer, number = OnTheWeb(shop), "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    assert phone(customer, number).status_code == 202
    right = code_in(shop.twilio.wait_for(number)[0])
    assert confirm(OnTheWeb(shop), right).status_code == 404
    other = OnTheWeb(shop)
    assert phone(other, "+447400" + f"{uuid.uuid4().int % 10**6:06d}").status_code == 202
    assert confirm(other, right).status_code == 409
    assert confirm(customer, right).status_code == 204
    assert confirm(customer, right).status_code == 404  # once


def test_numbers_that_cannot_be_texted(shop):
    customer = OnTheWeb(shop)
    for number in ("hello", "123", "+44 1", "999999999999999999"):
        assert phone(customer, number).status_code == 422, number
    stopped = "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    shop.twilio.texts(stopped, "STOP")
    until(lambda: shop.twilio.to(stopped))
    assert phone(customer, stopped).status_code == 409
    refused = "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    shop.twilio.refuses[refused] = 21614
    assert phone(customer, refused).status_code == 409
    path = f"{customer.path}/phone"
    assert shop.client.post(path, json={"number": refused}).status_code == 404  # without its token


def test_a_number_that_was_proven_is_the_same_person_by_text_later(shop):
    customer, number = OnTheWeb(shop), "+447400" + f"{uuid.uuid4().int % 10**6:06d}"
    assert identify(customer, token("cy-3", name="Cy Moss")).status_code == 204
    assert phone(customer, number).status_code == 202
    assert confirm(customer, code_in(shop.twilio.wait_for(number)[0])).status_code == 204
    with shop.gateway.store.database.transaction() as tx:  # a week later
        mine = schema.conversations.c.id == customer.conversation
        tx.execute(update(schema.conversations).where(mine).values(updated_at=1))
    shop.twilio.texts(number, RETURNS)
    until(lambda: len(shop.twilio.to(number)) == 3)
    rows = shop.rows(schema.conversations, address=number)
    assert len(rows) == 2 and len({row.customer_id for row in rows}) == 1
