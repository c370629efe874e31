"""Notices by a signed POST, as Standard Webhooks describes it (standardwebhooks.com)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Row

from bot.notices import NotSent
from bot.views import iso

SECONDS = 10


class WebhookSink:
    """One address. Every attempt of a notice has the same ``webhook-id``."""

    name = "webhook"

    def __init__(self, url: str, secret: str):
        """Raises ValueError for a bad address or secret."""
        from standardwebhooks import Webhook

        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("write WEBHOOK_URL with https:// in front")
        try:
            self._webhook = Webhook(secret)
        except Exception as error:
            raise ValueError("WEBHOOK_SECRET is whsec_ and 24 to 64 bytes in base64") from error
        self._url = url

    def send(self, notice: Row[Any]) -> None:
        body = json.dumps(
            {"type": notice.kind, "timestamp": iso(notice.created_at), "data": notice.payload}
        )
        now, key = datetime.now(UTC), f"notice_{notice.id}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(key, now, body),
        }
        try:
            answer = httpx.post(self._url, content=body, headers=headers, timeout=SECONDS)
        except httpx.HTTPError as error:
            raise NotSent(f"{type(error).__name__}: {error}"[:200]) from error
        if answer.status_code == 410:
            raise NotSent("410: the receiver wants no more of these", final=True)
        if not answer.is_success:
            wait = answer.headers.get("Retry-After", "")
            after = float(wait) if wait.isdecimal() else None
            raise NotSent(f"answered {answer.status_code}", after=after)
