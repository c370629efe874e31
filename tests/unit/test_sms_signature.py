"""Only what Twilio signed gets in: all forms of signing, and 100,000 requests that are changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from urllib.parse import urlencode

import pytest

from bot.simulate.twilio import signed
from channels.sms.signature import Keys, NotTwilio, verified

URL = "https://shop.example/channels/sms"
ACCOUNT, SUB = "AC" + "1" * 32, "AC" + "2" * 32
KEYS = Keys({ACCOUNT: "main token", SUB: "sub token"}, {"key1": "shared secret"})
FIELDS = {
    "MessageSid": "SM" + "0" * 32,
    "AccountSid": ACCOUNT,
    "From": "+447700900123",
    "To": "+441632960100",
    "Body": "Where is my order? ¡Hola! 😀",
    "Empty": "",
}


def headers(fields: dict[str, str], url: str = URL, **how) -> dict[str, str]:
    token = {"token": KEYS.tokens.get(fields.get("AccountSid", ""), ""), **how}
    return {name.lower(): value for name, value in signed(url, fields, **token).items()}


def passes(fields=FIELDS, *, url: str = URL, said: dict | None = None, keys: Keys = KEYS) -> bool:
    body = urlencode(fields).encode()
    try:
        return dict(verified(keys, url, said or headers(fields), body)) == fields
    except NotTwilio:
        return False


def test_both_algorithms_and_sub_accounts():
    assert passes()
    assert passes(said=headers(FIELDS, shared=("key1", "shared secret")))
    sub = {**FIELDS, "AccountSid": SUB}
    assert passes(sub) and not passes(sub, said=headers(sub, token="main token"))


@pytest.mark.parametrize("signed_as", [URL, URL.replace(".example/", ".example:443/")])
@pytest.mark.parametrize("called", [URL, URL.replace(".example/", ".example:443/")])
def test_both_port_forms(signed_as, called):
    assert passes(url=called, said=headers(FIELDS, signed_as))


def test_a_query_is_part_of_it():
    url = URL + "?a=1&b=2"
    assert passes(url=url, said=headers(FIELDS, url))
    assert not passes(url=URL + "?a=1&b=3", said=headers(FIELDS, url))


def test_what_is_not_theirs():
    assert not passes(said={"content-type": "application/x-www-form-urlencoded"})
    assert not passes(said=headers(FIELDS, shared=("key1", "another secret")))
    assert not passes(said=headers(FIELDS, shared=("key2", "shared secret")))
    strange = {**FIELDS, "AccountSid": "AC" + "3" * 32}
    assert not passes(
        strange, said=headers(strange, token="")
    )  # an empty key is known to everybody
    without = {name: value for name, value in FIELDS.items() if name != "AccountSid"}
    assert not passes(without, said=headers(without, token="main token"))
    assert not passes(keys=Keys({ACCOUNT: ""}), said=headers(FIELDS, token=""))
    assert not passes(
        said=headers(FIELDS, shared=("key1", "")), keys=Keys({ACCOUNT: "x"}, {"key1": ""})
    )


def json_headers(url: str) -> dict[str, str]:
    digest = hmac.new(b"main token", url.encode(), hashlib.sha1).digest()
    return {
        "content-type": "application/json",
        "x-twilio-signature": base64.b64encode(digest).decode(),
    }


def test_json_only_with_the_hash_of_its_body():
    body = b'{"AccountSid": "%s", "MessageSid": "SM1"}' % ACCOUNT.encode()
    with pytest.raises(NotTwilio):
        verified(KEYS, URL, json_headers(URL), body)
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert verified(KEYS, url, json_headers(url), body)["MessageSid"] == "SM1"
    with pytest.raises(NotTwilio):
        verified(KEYS, url, json_headers(url), body + b" ")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"Body=%ff%fe",
        b"a=1&" * 1000,
        b"",
        b"[]",
        b"{",
        b"\x00" * 1000,
        "Body=ü".encode("latin-1"),
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "", "x"])
def test_bodies_of_all_kinds_are_refused_and_break_nothing(body, kind):
    for settings in (
        "",
        "algorithm=HMAC_SHA256",
        "key=key1,algorithm=HMAC_SHA256",
        "algorithm=MD5",
        ",,=",
    ):
        said = {
            "content-type": kind,
            "x-twilio-signature": "abc=",
            "x-twilio-webhooks-signature-settings": settings,
        }
        with pytest.raises(NotTwilio):
            verified(KEYS, URL, said, body)


def test_100_000_changed_requests_and_none_gets_in():
    rng = random.Random(20261123)
    body, said = urlencode(FIELDS).encode(), headers(FIELDS)
    assert passes()
    let_in = 0
    for _ in range(100_000):
        url, now, text = URL, dict(said), bytearray(body)
        kind = rng.randrange(6)
        if kind == 0:
            at = rng.randrange(len(text))
            text[at] = (text[at] + rng.randrange(1, 256)) % 256
        elif kind == 1:
            del text[rng.randrange(len(text)) :]
        elif kind == 2:
            text += b"&x=" + bytes(rng.randrange(256) for _ in range(3))
        elif kind == 3:
            letters = list(now["x-twilio-signature"])
            letters[rng.randrange(27)] = rng.choice("AZaz09+/")
            now["x-twilio-signature"] = "".join(letters)
        elif kind == 4:
            at = rng.randrange(8, len(url))
            url = url[:at] + chr(33 + rng.randrange(94)) + url[at + 1 :]
        else:
            now["x-twilio-webhooks-signature-settings"] = rng.choice(
                ["algorithm=HMAC_SHA256", "key=key1,algorithm=HMAC_SHA256", "algorithm=none"]
            )
        if (url, now, bytes(text)) == (URL, said, body):
            continue
        try:
            fields = verified(KEYS, url, now, bytes(text))
        except NotTwilio:
            continue
        # "%F0" and "%f0" are the same text, as are the two forms of a port.
        if dict(fields) != FIELDS or url.lower() != URL:
            print(url, bytes(text)[:400], now)
            let_in += 1
    assert let_in == 0


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_border_between_name_and_value_cannot_be_moved(name):
    for shift in (-2, -1, 1, 2, 40):
        whole, at = name + FIELDS[name], len(name) + shift
        moved = {key: value for key, value in FIELDS.items() if key != name}
        moved[whole[:at]] = whole[at:]
        if moved != FIELDS and name != "Empty":
            assert not passes(moved, said=headers(FIELDS)), moved


def test_fields_that_are_not_known_yet_are_let_in():
    more = {**FIELDS, "NewThing": "1", "MediaUrl0": "https://x", "FromCity": "Leeds"}
    assert passes(more)
