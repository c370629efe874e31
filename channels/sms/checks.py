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
        account = twilio.ask(".json")
    except NotTaken as problem:
        yield error(str(problem), OFF, "copy both from Twilio's console into .env")
        return
    except Unreachable as problem:
        yield warning(
            f"Twilio cannot be asked ({problem})",
            "nobody knows whether texts work",
            "look at this machine's way to the internet, and run the check again",
        )
        return
    if account.get("status") != "active":
        yield error(f"the account is {account.get('status')}", OFF, "see Twilio's console")
    if settings.sms_from.startswith("MG"):
        yield ok(
            "the account answers; the Messaging Service's own settings cannot be seen from here"
        )
        return
    yield from _number(settings, twilio)


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
