"""What Twilio's REST API shows of an account, a number and a message, with every field it has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

VERSION = "2010-04-01"
_BEGUN = format_datetime(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))


@dataclass
class Message:
    """One message as the vendor has it."""

    sid: str
    to: str
    sender: str
    body: str
    account: str
    callback: str = ""
    status: str = "queued"
    error: int | None = None
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def as_json(self) -> dict[str, Any]:
        """As the REST API shows it."""
        moment = format_datetime(self.created)
        service = self.sender if self.sender.startswith("MG") else None
        uri = f"/{VERSION}/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account,
            "api_version": VERSION,
            "body": self.body,
            "date_created": moment,
            "date_updated": moment,
            "date_sent": None if self.status in ("queued", "accepted") else moment,
            "direction": "outbound-api",
            "error_code": self.error,
            "error_message": None,
            "from": None if service else self.sender,
            "messaging_service_sid": service,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


def account_json(account: str) -> dict[str, Any]:
    """An account, with the token kept back."""
    uri = f"/{VERSION}/Accounts/{account}"
    return {
        "sid": account,
        "owner_account_sid": account,
        "auth_token": "",
        "friendly_name": "local",
        "status": "active",
        "type": "Full",
        "date_created": _BEGUN,
        "date_updated": _BEGUN,
        "subresource_uris": {"messages": f"{uri}/Messages.json"},
        "uri": f"{uri}.json",
    }


def number_json(account: str, number: str, more: dict[str, Any]) -> dict[str, Any]:
    """A number of an account; ``more``: what is set differently from a new one."""
    sid = "PN" + hashlib.sha256(number.encode()).hexdigest()[:32]
    absent = (
        "address_sid", "identity_sid", "trunk_sid", "bundle_sid", "emergency_address_sid",
        "sms_application_sid", "voice_application_sid", "sms_url", "sms_fallback_url", "voice_url",
        "voice_fallback_url", "status_callback",
    )  # fmt: skip
    methods = ("sms_method", "sms_fallback_method", "voice_method", "voice_fallback_method")
    return {
        **dict.fromkeys(absent),
        **dict.fromkeys((*methods, "status_callback_method"), "POST"),
        "sid": sid,
        "account_sid": account,
        "address_requirements": "none",
        "api_version": VERSION,
        "beta": False,
        "capabilities": {"mms": False, "sms": True, "voice": True, "fax": False},
        "date_created": _BEGUN,
        "date_updated": _BEGUN,
        "friendly_name": number,
        "phone_number": number,
        "origin": "twilio",
        "status": "in-use",
        "type": "mobile",
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "emergency_status": "Inactive",
        "emergency_address_status": "unregistered",
        "uri": f"/{VERSION}/Accounts/{account}/IncomingPhoneNumbers/{sid}.json",
        **more,
    }


def page_json(name: str, found: list[dict[str, Any]], path: str, size: int) -> dict[str, Any]:
    """The first page of a list; there is no other."""
    shown = found[:size]
    return {
        name: shown,
        "page": 0,
        "page_size": size,
        "start": 0,
        "end": max(0, len(shown) - 1),
        "first_page_uri": path,
        "next_page_uri": None,
        "previous_page_uri": None,
        "uri": path,
    }
