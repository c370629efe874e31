"""Who may read an answer: articles for staff only where nobody else can see it."""

from __future__ import annotations

import time
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from knowledge_base.parse import Audience

KEPT = 600.0  # seconds
MOST_MEMBERS = 200
"""A channel with more people is not looked through: it gets public articles."""


class Audiences:
    """Looks at people and channels; what it found is kept for ten minutes."""

    def __init__(self, client: AsyncWebClient):
        self._client = client
        self._kept: dict[tuple[str, str], tuple[float, bool]] = {}

    async def of(self, team: str, user: str, channel: str, *, alone: bool) -> Audience:
        """``alone``: only ``user`` sees the answer."""
        if not await self._colleague(team, user):
            return "public"
        if alone or await self._closed(team, channel):
            return "staff"
        return "public"

    async def _colleague(self, team: str, user: str) -> bool:
        """Whether somebody is a full member of our own workspace, and a person."""

        async def look() -> bool:
            found: dict[str, Any] = (await self._client.users_info(user=user))["user"]
            guest = found.get("is_restricted") or found.get("is_ultra_restricted")
            stranger = found.get("is_stranger") or (found.get("team_id") or team) != team
            return not (guest or stranger or found.get("deleted"))

        return await self._remembered("user", f"{team}/{user}", look)

    async def _closed(self, team: str, channel: str) -> bool:
        """Whether all who can read a channel are colleagues."""

        async def look() -> bool:
            found: dict[str, Any] = (await self._client.conversations_info(channel=channel))[
                "channel"
            ]
            if found.get("is_im"):
                return True
            if any(found.get(it) for it in ("is_ext_shared", "is_shared", "is_org_shared")):
                return False
            if found.get("is_pending_ext_shared"):
                return False
            page = await self._client.conversations_members(channel=channel, limit=MOST_MEMBERS)
            if (page.get("response_metadata") or {}).get("next_cursor"):
                return False
            for member in page["members"]:
                if not await self._colleague(team, member):
                    return False
            return True

        return await self._remembered("channel", channel, look)

    async def _remembered(self, kind: str, name: str, look: Any) -> bool:
        known = self._kept.get((kind, name))
        if known and known[0] > time.monotonic():
            return known[1]
        found = bool(await look())
        self._kept[kind, name] = (time.monotonic() + KEPT, found)
        return found

    def forget(self) -> None:
        """Somebody came or went: look again."""
        self._kept.clear()
