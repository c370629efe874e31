"""What customers write, before it goes to Shopify."""

from __future__ import annotations

import re

import phonenumbers

from bot.orders.contract import Address, NotAllowed

EMAIL = re.compile(r"[^@\s\"'<>(),;:\\]{1,64}@[^@\s\"'<>(),;:\\]+\.[^@\s\"'<>(),;:\\.]{2,63}")
PHONE = re.compile(r"\+?[0-9 ().-]{6,25}", re.ASCII)
LONGEST = 255  # of a field of an address


def clean(text: str, limit: int) -> str:
    """Words for staff: one paragraph, printable, no longer than ``limit``."""
    words = " ".join("".join(it if it.isprintable() else " " for it in text).split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def email_address(text: str) -> str:
    """An e-mail address; "" if it is none."""
    fits = len(text) <= 254 and text.isprintable() and EMAIL.fullmatch(text.strip())
    return text.strip() if fits else ""


def phone_number(text: str, country: str) -> str:
    """A phone number in E.164, as Shopify keeps it; "" if it is none."""
    if not PHONE.fullmatch(text.strip()):
        return ""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def address_fields(address: Address) -> dict[str, str]:
    """A `MailingAddressInput`: Shopify has two lines for the street, and first and last names.

    Raises:
        NotAllowed: a field is empty, too long, or has what no label can show.
    """
    first, _, last = address.name.strip(" ").rpartition(" ")
    street, *more = [it.strip(" ") for it in address.street.split("\n") if it.strip(" ")] or [""]
    fields = {
        "firstName": first,
        "lastName": last,
        "address1": street,
        "address2": ", ".join(more),
        "city": address.city.strip(" "),
        "zip": address.postcode.strip(" "),
        "countryCode": address.country,
    }
    for name in ("lastName", "address1", "city", "zip"):
        if not fields[name]:
            raise NotAllowed(f"an address without its {name}")
    for name, text in fields.items():
        if len(text) > LONGEST or not text.isprintable():
            raise NotAllowed(f"the {name} of the address is too long, or has odd characters")
    return fields
