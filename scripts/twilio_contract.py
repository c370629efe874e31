"""Are our requests to Twilio what its public description says, and is the local vendor like it?

    python scripts/twilio_contract.py --specs FOLDER

FOLDER holds `twilio_api_v2010.yaml`, Twilio's OpenAPI description (github.com/twilio/twilio-oai), and
`signature_vectors.json`, the signed requests of the test suites of Twilio's and Slack's SDKs; neither
is part of the project. Every kind of request that texting sends is sent once to the local vendor by a
real gateway, and compared with the description; so are the vendor's answers. Then: the published
signatures, and how wishes for no more texts are heard on the held-out wordings. The figures go into
docs/quality.md. Exits with 1 when anything does not fit.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import pytest
import structlog
import typer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ["SERVICE_FILE"] = str(ROOT / "tests" / "data" / "service.yml")

from slack_sdk.signature import Clock, SignatureVerifier  # noqa: E402

from bot.encoder import Encoder  # noqa: E402
from bot.simulate.twilio import Exchange, reset_after  # noqa: E402
from bot.store.database import Database  # noqa: E402
from channels.slack.app import _signed  # noqa: E402
from channels.sms import Hearing, checks, make_channel, make_vendor  # noqa: E402
from channels.sms.signature import Keys, NotTwilio, verified  # noqa: E402
from channels.sms.words import Wish  # noqa: E402
from scripts.openapi import Description  # noqa: E402
from tests.contract.shop import RETURNS  # noqa: E402
from tests.contract.texting import TextShop, text_shop  # noqa: E402

API, VECTORS = "twilio_api_v2010.yaml", "signature_vectors.json"
SERVICE = "MG" + "0" * 31 + "1"
WORDINGS = ROOT / "tests" / "data" / "stop_wordings.tsv"
BEGINS, ENDS = "## Text messages\n", "\n## "


@dataclass
class Kind:
    """One kind of request, and what did not fit."""

    what: str
    method: str
    template: str
    requests: int = 0
    answers: int = 0  # that are described; errors are not
    problems: list[str] = field(default_factory=list)


# The requests, each as it happens.


def from_a_number(shop: TextShop) -> None:
    """An answer, whose delivery is reported, and what an agent writes."""
    number = shop.number()
    shop.twilio.texts(number, RETURNS)
    shop.twilio.wait_for(number)
    (message,) = shop.taken(number)
    assert shop.twilio.tells(message, "delivered").status_code == 204
    found = shop.conversation(number).id
    shop.gateway.support.request_person(
        found, cause=number, reason_type="asked", reason="Asked for a person."
    )
    shop.claim(number)
    shop.reply(number, "A long reply, with an “odd” sign: 😀. " * 50)
    shop.until(lambda: set(shop.deliveries(number)) == {"sent"}, 20)


def of_unknown_fate(shop: TextShop) -> None:
    """The connection breaks after the message was taken; it is looked up, sent or not."""
    number = shop.number()
    shop.twilio.fail(reset_after)
    shop.twilio.texts(number, RETURNS)
    shop.until(lambda: shop.deliveries(number) == ["sent"], 20)
    assert len(shop.taken(number)) == 1
    shop.twilio.tells(shop.taken(number)[0], "sent")
    shop.twilio.fail(reset_after)
    shop.twilio.texts(number, "thanks")
    shop.until(lambda: shop.deliveries(number) == ["sent", "sent"], 20)


def proving_a_number(shop: TextShop) -> None:
    """A code, which has no status callback."""
    channel = make_channel(shop.gateway.store.database, shop.gateway.settings)
    channel.send_code(shop.number(), "123456 is your code.")


def check_of_the_account(shop: TextShop) -> None:
    settings = shop.gateway.settings
    assert list(checks.check(settings, make_vendor(settings)))


def from_a_service(shop: TextShop) -> None:
    """A customer wrote to a number of the service; and the service's own sender."""
    number = shop.number()
    shop.twilio.texts(number, RETURNS, MessagingServiceSid=SERVICE)
    shop.until(lambda: shop.taken(number) and shop.deliveries(number) == ["sent"], 20)
    assert shop.taken(number)[0].sender == SERVICE
    proving_a_number(shop)


Act = Callable[[TextShop], None]
ACTS: tuple[tuple[str, dict[str, str], Act], ...] = (
    ("from a number", {}, from_a_number),
    ("of unknown fate", {}, of_unknown_fate),
    ("a code", {}, proving_a_number),
    ("the check", {}, check_of_the_account),
    ("from a Messaging Service", {"SMS_FROM": SERVICE}, from_a_service),
    ("the check, with a service", {"SMS_FROM": SERVICE}, check_of_the_account),
)


def exchanges() -> list[tuple[str, Exchange]]:
    """What the gateway sent to the local vendor and what it got, each with what it was for."""
    found: list[tuple[str, Exchange]] = []
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        store = Database(f"sqlite:///{template}")
        store.migrate()
        store.close()
        for sender in ({}, {"SMS_FROM": SERVICE}):
            place = Path(folder) / uuid.uuid4().hex
            place.mkdir()
            with (
                pytest.MonkeyPatch.context() as patch,
                text_shop(template, place, patch, **sender) as shop,
            ):
                for what, needs, act in ACTS:
                    if needs == sender:
                        shop.twilio.on_exchange = lambda it, what=what: found.append((what, it))
                        act(shop)
    return found


def compared(description: Description, found: list[tuple[str, Exchange]]) -> list[Kind]:
    """Requests and answers by their kind."""
    kinds: dict[tuple[str, str, str], Kind] = {}
    for what, it in found:
        operation = description.operation(it.method, it.path)
        template, described, path = operation or (it.path, None, {})
        kind = kinds.setdefault((what, it.method, template), Kind(what, it.method, template))
        kind.requests += 1
        if not it.path.startswith("/2010-04-01/"):
            continue  # another of Twilio's APIs, which this description does not have
        if described is None:
            kind.problems.append("not described")
            continue
        kind.problems += description.request_problems(
            described, path=path, query=it.query, form=it.form, content_type=it.content_type
        )
        if 200 <= it.status < 300:
            kind.answers += 1
            try:
                kind.problems += description.answer_problems(described, it.status, it.answer)
            except LookupError:
                kind.problems.append(f"the answer {it.status}: not described")
    return list(kinds.values())


# Signatures.


COMPUTED = "computed_with_sdk_9_13_0"


def twilio_signatures(vectors: dict[str, Any]) -> dict[str, list[bool]]:
    """Which of the published and of the computed ones are right for us, too, with the signature
    refused when it is changed."""
    token = vectors["token"]
    held: dict[str, list[bool]] = {"published": [], COMPUTED: []}
    # The upstream requests name no account.
    keys = Keys({"": token, "AC" + "0" * 31 + "1": token}, {"key": token})
    before: Any = vectors["params"]
    every = [(kind, it) for kind in held for it in vectors[kind]]
    for kind, it in every:
        given = it.get("params_multi") or it.get("params") or vectors["params"]
        if given == "as previous":
            given = before
        elif given == "as above":
            given = vectors["params"]
        before = given
        pairs = list(given.items()) if isinstance(given, dict) else [tuple(one) for one in given]
        body = it.get("body") or urlencode(pairs)
        headers = {
            "x-twilio-signature": it["sig"],
            "content-type": "application/json" if "body" in it else "",
        }
        if it.get("algorithm") == "HMAC_SHA256":
            headers["x-twilio-webhooks-signature-settings"] = "key=key,algorithm=HMAC_SHA256"
        forged = {**headers, "x-twilio-signature": it["sig"][::-1]}
        args = (it["uri"], body.encode())
        held[kind].append(_verified(keys, headers, *args) and not _verified(keys, forged, *args))
    return held


def _verified(keys: Keys, headers: dict[str, str], uri: str, body: bytes) -> bool:
    try:
        verified(keys, uri, headers, body)
    except NotTwilio:
        return False
    return True


class _Then(Clock):
    """The clock at the time of the published request."""

    def __init__(self, moment: str):
        self._moment = float(moment)

    def now(self) -> float:
        return self._moment


def slack_signatures(vector: dict[str, Any]) -> list[bool]:
    """Whether what guards `POST /channels/slack` takes the published request, and no changed one."""
    stamp, body = vector["timestamp"], vector["body"].encode()
    verifier = SignatureVerifier(vector["signing_secret"], _Then(stamp))
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": vector["signature"]}
    late = SignatureVerifier(vector["signing_secret"])
    return [
        _signed(verifier, headers, body)
        and not _signed(verifier, headers, body + b"x")
        and not _signed(late, headers, body)
    ]


def stop_wordings() -> dict[str, int]:
    """Counts only: the lines are held out, and nobody looks at which are missed."""
    hearing = Hearing(Encoder(ROOT / "models" / "encoder"))
    counts = {"stop": 0, "heard": 0, "other": 0, "taken for one": 0}
    for line in WORDINGS.read_text("utf-8").splitlines():
        label, text = line.split("\t", 1)
        counts[label] += 1
        if hearing.wish_in(text) is Wish.STOP:
            counts["heard" if label == "stop" else "taken for one"] += 1
    return counts


# What is said of it.


def section(kinds: list[Kind], signed: dict[str, list[bool]], stops: dict[str, int]) -> str:
    """For docs/quality.md."""
    wrong = sum(len(kind.problems) for kind in kinds)
    lines = [
        BEGINS,
        f"By `python scripts/twilio_contract.py --specs FOLDER` on {time.strftime('%Y-%m-%d')}: what "
        "a gateway sends to the local vendor, and what that answers, compared with Twilio's public "
        "description of its API (method, path, parameters, types, patterns; in answers also that "
        "no field is missing). Errors have no description there.",
        "",
        "| what for | request | requests | answers | do not fit |",
        "|---|---|---|---|---|",
        *[
            f"| {it.what} | `{it.method} {it.template}` | {it.requests} | {it.answers} "
            f"| {len(it.problems)} |"
            for it in kinds
        ],
        "",
        f"In all {sum(it.requests for it in kinds)} requests, {wrong} that do not fit.",
        "",
        "Signatures verified, and changed ones refused: "
        + ", ".join(f"{name} {sum(held)} of {len(held)}" for name, held in signed.items())
        + ".",
        "",
        f"Wishes for no more texts, on wordings that nothing was tuned on "
        f"(`tests/data/stop_wordings.tsv`): {stops['heard']} of {stops['stop']} heard (recall "
        f"{stops['heard'] / stops['stop']:.3f}); {stops['taken for one']} of {stops['other']} other "
        f"messages taken for one ({stops['taken for one'] / stops['other']:.3f}).",
        "",
    ]
    return "\n".join(lines)


def placed(document: str, text: str) -> str:
    """The document with the section in the place of the former one, or at its end."""
    start = document.find(BEGINS)
    if start < 0:
        return f"{document.rstrip()}\n\n{text}"
    end = document.find(ENDS, start + len(BEGINS))
    return document[:start] + text + (document[end:] if end >= 0 else "")


def main(
    specs: Annotated[
        Path, typer.Option(help=f"Folder with {API} and {VECTORS}.", exists=True, file_okay=False)
    ],
    write: Annotated[bool, typer.Option(help="Put the figures into docs/quality.md.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Compare, and write the figures into docs/quality.md; exits with 1 when anything does not fit."""
    for name in (API, VECTORS):
        if not (specs / name).is_file():
            print(f"{specs / name} is not there", file=sys.stderr)
            raise typer.Exit(2)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print("requests ...", file=sys.stderr, flush=True)
    kinds = compared(Description(specs / API), exchanges())
    vectors = json.loads((specs / VECTORS).read_text("utf-8"))
    twilio = twilio_signatures(vectors["twilio"])
    signed = {
        "published for Twilio": twilio["published"],
        "computed with Twilio's SDK": twilio[COMPUTED],
        "published for Slack": slack_signatures(vectors["slack_v0"]),
    }
    print("wordings ...", file=sys.stderr, flush=True)
    stops = stop_wordings()
    text = section(kinds, signed, stops)
    if write:
        place = ROOT / "docs" / "quality.md"
        place.write_text(placed(place.read_text("utf-8"), text), encoding="utf-8")
    if as_json:
        counts = {name: {"verified": sum(it), "of": len(it)} for name, it in signed.items()}
        print(json.dumps({"requests": list(map(asdict, kinds)), "signed": counts, "stop": stops}))
    else:
        print(text)
        for kind in kinds:
            for problem in sorted(set(kind.problems)):
                print(f"{kind.what}, {kind.method} {kind.template}: {problem}")
    if any(kind.problems for kind in kinds) or not all(map(all, signed.values())):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
