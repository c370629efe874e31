"""What has been done for a key, kept in the shop itself.

A mark is a metafield of our app's own installation in the shop ("app data"), which no other app and
no staff sees and which needs no scope. Its name is the hash of the key, so that it is found without
knowing whose order it was, at once and not when a search index has caught up. It is written with
Shopify's compare-and-set: of two processes with the same key, one gets it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.orders.contract import Unavailable, Unknown
from bot.orders.shopify import mutations, queries
from bot.orders.shopify.client import Client
from bot.orders.shopify.clock import Deadline

KEY = re.compile(r"[A-Za-z0-9_./-]{1,80}")
NAMESPACE = "rapport"
KEPT = timedelta(days=90)  # after that the same key may do it again
TOGETHER = 25  # marks that are dropped with one request


class Taken(Exception):
    """Another process has this mark, or has changed it."""


@dataclass(frozen=True)
class Mark:
    """What is known of a key.

    ``plan`` is what was going to be done, from which `seen` can be told; ``done`` what came of it,
    None until then.
    """

    name: str
    digest: str | None
    operation: str
    of: str  # what the key is for: another write with it is a mistake
    by: str  # the process that has begun it
    at: datetime
    plan: dict[str, Any]
    done: dict[str, Any] | None = None

    def value(self) -> str:
        return json.dumps(
            {
                "operation": self.operation,
                "of": self.of,
                "by": self.by,
                "at": self.at.isoformat(),
                "plan": self.plan,
                "done": self.done,
            }
        )


def checked(key: str) -> str:
    """Raises: ValueError, a mistake of the caller."""
    if not KEY.fullmatch(key):
        raise ValueError("a key is 1 to 80 characters of A-Z a-z 0-9 _ . / -")
    return key


def name_of(key: str) -> str:
    """A mark's name, which also is put into what a write leaves behind."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class Marks:
    """The marks in one shop."""

    def __init__(self, client: Client):
        self.client = client

    async def read(self, name: str, deadline: Deadline) -> Mark | None:
        data = await self.client.read(queries.READ_MARK, deadline, namespace=NAMESPACE, key=name)
        found = data["currentAppInstallation"]["metafield"]
        return _mark(name, found["value"], found["compareDigest"]) if found else None

    async def write(self, mark: Mark, owner: str, deadline: Deadline) -> Mark:
        """Write a mark over the one whose digest it has; None: only if there is none.

        Raises:
            Taken: somebody else was quicker.
            Unavailable: it could not be written. It may be there: it is ours, and says nothing is
                done.
        """
        field = {
            "ownerId": owner,
            "namespace": NAMESPACE,
            "key": mark.name,
            "type": "json",
            "value": mark.value(),
            "compareDigest": mark.digest,
        }
        try:
            data = await self.client.write(mutations.SET_MARK, deadline, marks=[field])
        except Unknown as error:
            raise Unavailable(f"what is going to be done could not be noted: {error}") from error
        answer = data["metafieldsSet"] or {"userErrors": [{"message": "no answer"}]}
        codes = {it.get("code") for it in answer["userErrors"]}
        if codes & {"STALE_OBJECT", "INVALID_COMPARE_DIGEST", "TAKEN"}:
            raise Taken
        if answer["userErrors"]:
            said = "; ".join(it["message"] for it in answer["userErrors"])
            raise Unavailable(f"what is going to be done could not be noted: {said}")
        return Mark(**{**mark.__dict__, "digest": answer["metafields"][0]["compareDigest"]})

    async def drop(self, names: list[str], owner: str, deadline: Deadline) -> None:
        """Forget marks."""
        for start in range(0, len(names), TOGETHER):
            fields = [
                {"ownerId": owner, "namespace": NAMESPACE, "key": name}
                for name in names[start : start + TOGETHER]
            ]
            await self.client.write(mutations.DROP_MARKS, deadline, marks=fields)

    async def prune(self, deadline: Deadline) -> int:
        """Forget marks that are older than `KEPT`; how many."""
        before, old, after, owner = datetime.now(UTC) - KEPT, [], None, ""
        while True:
            data = await self.client.read(
                queries.OLD_MARKS, deadline, namespace=NAMESPACE, after=after
            )
            owner = data["currentAppInstallation"]["id"]
            page = data["currentAppInstallation"]["metafields"]
            for it in page["nodes"]:
                if datetime.fromisoformat(it["updatedAt"]) < before:
                    old.append(it["key"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        await self.drop(old, owner, deadline)
        return len(old)


def _mark(name: str, text: str, digest: str) -> Mark:
    try:
        found = json.loads(text)
        return Mark(
            name=name,
            digest=digest,
            operation=found["operation"],
            of=found["of"],
            by=found["by"],
            at=datetime.fromisoformat(found["at"]),
            plan=found["plan"],
            done=found["done"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"the mark {name} is not ours: {error!r}") from error
