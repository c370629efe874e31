"""Is the account set up so that texts come and go? Asks the vendor; for `python -m bot check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.findings import Finding, error, ok, warning
from bot.settings import Settings
from channels.sms.vendor import API, NotTaken, Twilio, Unreachable

OFF = "texts neither come nor go"


def check(settings: Settings, twilio: Twilio) -> Iterator[Finding]:
    """What is wrong with the account or with how it calls us, in words."""
    if not settings.public_url and settings.twilio_api_url == API:
        yield error(
            "PUBLIC_URL is empty, so Twilio cannot reach this machine",
            "no text arrives, and no delivery state",
            "set PUBLIC_URL to the address that customers' browsers use, https://…",
        )
    try:
        yield from _account(settings, twilio)
    except NotTaken as problem:
        yield error(str(problem), OFF, "copy both from Twilio's console into .env")
    except Unreachable as problem:
        yield warning(
            f"Twilio cannot be asked ({problem})",
            "nobody knows whether texts work",
            "look at this machine's way to the internet, and run the check again",
        )


def _account(settings: Settings, twilio: Twilio) -> Iterator[Finding]:
    account = twilio.ask(".json")
    if account.get("status") != "active":
        yield error(f"the account is {account.get('status')}", OFF, "see Twilio's console")
    if settings.sms_from.startswith("MG"):
        yield from _service(settings, twilio)
    else:
        yield from _number(settings, twilio)


def _service(settings: Settings, twilio: Twilio) -> Iterator[Finding]:
    """A Messaging Service calls its own webhook, or leaves it to its numbers'."""
    sid, wanted = settings.sms_from, f"{settings.origin}/channels/sms"
    try:
        service = twilio.service(sid)
    except NotTaken:
        yield error(
            f"the account has no Messaging Service {sid}",
            "texts cannot be sent",
            "copy the service's SID from Twilio's console, Messaging, Services, into SMS_FROM",
        )
        return
    if service.get("use_inbound_webhook_on_number"):
        yield warning(
            f"{sid} leaves incoming texts to the webhook of each of its numbers",
            "a number whose webhook is another brings nothing",
            f"in Twilio's console, under the service's Integration, choose “Send a webhook”: {wanted}",
        )
        return
    called = service.get("inbound_request_url") or ""
    if called.partition("#")[0] != wanted:
        yield error(
            f"for incoming texts {sid} calls {called or 'nothing'}",
            "its signature is for another address" if called else "nothing arrives",
            f"in Twilio's console, under the service's Integration, send a webhook to {wanted}",
        )
    elif (service.get("inbound_method") or "POST") != "POST":
        yield error(
            f"for incoming texts {sid} calls by {service['inbound_method']}",
            "it is refused",
            "set the method to HTTP POST there",
        )
    else:
        yield ok(f"Twilio calls {wanted} for {sid}")


def _number(settings: Settings, twilio: Twilio) -> Iterator[Finding]:
    listed = twilio.ask("/IncomingPhoneNumbers.json", params={"PhoneNumber": settings.sms_from})
    found: list[dict[str, Any]] = listed.get("incoming_phone_numbers", [])
    number = next((it for it in found if it.get("phone_number") == settings.sms_from), None)
    if number is None:
        yield error(
            f"{settings.sms_from} is no number of this account",
            "texts cannot be sent",
            "correct SMS_FROM, or TWILIO_ACCOUNT_SID where the number is a sub-account's",
        )
        return
    wanted = f"{settings.origin}/channels/sms"
    wrong = False
    for name, what, address in (("sms", "messages", wanted), ("voice", "calls", f"{wanted}/voice")):
        called = number.get(f"{name}_url") or ""
        if called.partition("#")[0] != address:
            wrong = True
            yield (error if name == "sms" else warning)(
                f"for {what} Twilio calls {called or 'nothing'}",
                "its signature is for another address" if called else "nothing arrives",
                f"in Twilio's console set the number's webhook for {what} to {address}",
            )
        elif (number.get(f"{name}_method") or "POST") != "POST":
            wrong = True
            yield error(
                f"for {what} Twilio calls by {number[f'{name}_method']}",
                "it is refused",
                "set the webhook's method to HTTP POST",
            )
    if not wrong:
        yield ok(f"Twilio calls {wanted} for {settings.sms_from}")
