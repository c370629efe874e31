"""Whether a request is Twilio's: both algorithms, both port forms, and every doubt is a no."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)

MOST_FIELDS = 300
_NAMES = (
    "MessageSid SmsSid SmsMessageSid AccountSid MessagingServiceSid From To Body NumMedia NumSegments "
    "FromCity FromState FromZip FromCountry ToCity ToState ToZip ToCountry ApiVersion SmsStatus "
    "MessageStatus ErrorCode ErrorMessage OptOutType RawDlrDoneDate AddOns CallSid CallStatus "
    "CallToken Direction ForwardedFrom CallerName ParentCallSid Digits StirVerstat Caller CallerCity "
    "CallerState CallerZip CallerCountry Called CalledCity CalledState CalledZip CalledCountry"
)
NAMES = frozenset(_NAMES.split())
"""Twilio's fields of messages, delivery states and calls."""

_MEDIA = re.compile(r"Media(?:Url|ContentType)\d{1,2}")

Fields = ImmutableMultiDict[str, str]


class NotTwilio(Exception):
    """The request is refused; the text is for our log, never for whoever sent it."""


@dataclass(frozen=True)
class Keys:
    """The secrets that requests are signed with.

    Args:
        tokens: auth token of each account, sub-accounts too, by the account's SID.
        shared: secret of each shared key, by the key's id.
    """

    tokens: Mapping[str, str]
    shared: Mapping[str, str] = field(default_factory=dict)


def verified(keys: Keys, url: str, headers: Mapping[str, str], body: bytes) -> Fields:
    """The fields of a request that Twilio has signed.

    Args:
        url: as Twilio was told to call it, with its query; with or without the usual port.
        headers: with names in small letters.
        body: the raw body, a form or JSON.

    Raises:
        NotTwilio: anything else, whatever is wrong with it.
    """
    try:
        return _verified(keys, url, headers, body)
    except NotTwilio:
        raise
    except Exception as error:
        # The SDK raises whatever it meets, as a TypeError for JSON whose hash is not in the URL.
        raise NotTwilio(f"{type(error).__name__} while its signature was checked") from error


def _verified(keys: Keys, url: str, headers: Mapping[str, str], body: bytes) -> Fields:
    signature = headers.get(SIGNATURE_HEADER.lower(), "")
    if not signature:
        raise NotTwilio("there is no signature")
    is_json = headers.get("content-type", "").partition(";")[0].strip().lower().endswith("json")
    signed: Fields | str = body.decode("utf-8") if is_json else fields_of(body)
    fields = _from_json(body) if is_json else fields_of(body)
    settings = headers.get(SIGNATURE_SETTINGS_HEADER.lower(), "")
    algorithm = get_signature_algorithm(settings)
    secret = _secret(keys, fields, settings, algorithm)
    if not RequestValidator(secret).validate(url, signed, signature, algorithm):
        raise NotTwilio("the signature is not right for the configured address and token")
    if _shifted(fields):
        raise NotTwilio("the border between a name and its value was moved")
    return fields


def _shifted(fields: Fields) -> bool:
    """Whether a name is one of Twilio's with a part of its value, or without its end, or is a value.

    The signature covers names and values written one after the other, so "Body=hi", "Bodyhi=" and
    "Body=&hi=" have the same one.
    """
    names = sorted(set(fields.keys()))
    missing = NAMES.difference(names)
    for before, name in pairwise(["", *names]):
        if name in NAMES or _MEDIA.fullmatch(name):
            continue
        if before in NAMES and not fields[before]:
            return True
        if any(name.startswith(known) or known.startswith(name) for known in missing):
            return True
    return False


def _secret(keys: Keys, fields: Fields, settings: str, algorithm: str) -> str:
    """The one secret that this request can be signed with; an empty one would fit everybody."""
    account = fields.get("AccountSid", "")
    if account not in keys.tokens:
        raise NotTwilio("it names no account of ours")
    if algorithm.upper() == HMAC_SHA256:
        named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
        secret = keys.shared.get(named.get("key", ""), "")
    elif algorithm.upper() == HMAC_SHA1:
        secret = keys.tokens[account]
    else:
        secret = ""
    if not secret:
        raise NotTwilio(f"it is signed with {algorithm}, for which no key is configured")
    return secret


def fields_of(body: bytes) -> Fields:
    """The fields of a form, repeated ones too. Raises ValueError for too many, or for what is no
    UTF-8: Twilio sends none."""
    text = body.decode("utf-8")
    pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    return ImmutableMultiDict(pairs)


def _from_json(body: bytes) -> Fields:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise NotTwilio("its JSON is no object")
    return ImmutableMultiDict([(str(name), str(value)) for name, value in found.items()])
