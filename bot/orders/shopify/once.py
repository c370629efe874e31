"""Writes that happen once for a key, on an API whose writes mostly do not.

For each key: look at the mark; if there is none, plan (which may refuse), put the mark with the plan,
act, put what came of it into the mark. The plan says what is to be *so* afterwards (quantities, an
address, a code made from the key, a note with the key's hash), so whether it is so can be seen.

What a crash leaves, and what the same key does then:

- before the mark: nothing; it does it.
- after the mark, before the act: a mark without an outcome, and what the plan wants is not there; it
  does it.
- after the act, before the outcome: what the plan wants is there; it is taken for done.
- while Shopify still acts, after we gave up waiting: most acts cannot happen twice, because Shopify
  refuses the second (cancelled, nothing left to return, the code is taken) or because they set and do
  not add (quantities, address, contact, consent, note). An invoice may be mailed twice: of mails,
  nothing can be seen.

What is *not* guaranteed: that an outcome is what our write did and not what somebody else did to the
same end in between (an order that staff cancelled counts as cancelled).
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.orders.contract import (
    Conflict,
    Done,
    Money,
    NotAllowed,
    NotFound,
    OrderError,
    Unavailable,
    Unknown,
)
from bot.orders.shopify.client import Slow
from bot.orders.shopify.clock import Deadline
from bot.orders.shopify.marks import Mark, Marks, Taken, checked, name_of
from bot.orders.shopify.reader import Reader

Plan = dict[str, Any]
Result = dict[str, Any]
LOOK = 0.1  # seconds between two looks at what another does
PRUNE_EACH = 200  # writes after which old marks are dropped


@dataclass(frozen=True)
class Act:
    """How a plan is carried out, and how one sees that it has been."""

    act: Callable[[Reader, Plan, Deadline], Awaitable[Result]]
    seen: Callable[[Reader, Plan, Deadline], Awaitable[Result | None]]


class Once:
    """Does writes once.

    Args:
        acts: by the operation's name.
        timeout: seconds that a call takes at most.
    """

    def __init__(self, reader: Reader, acts: dict[str, Act], timeout: float):
        self.reader, self.acts, self.timeout = reader, acts, timeout
        self.marks = Marks(reader.client)
        self.me = secrets.token_hex(8)
        self._locks: dict[str, asyncio.Lock] = {}
        self._late: dict[str, float] = {}  # marks whose act may still be going on, until when
        self._written = 0

    async def do(
        self,
        key: str,
        operation: str,
        of: list[Any],
        plan: Callable[[str, Deadline], Awaitable[Plan]],
    ) -> Done:
        """Carry out what ``plan`` makes of the key's hash; ``of`` is what was asked for.

        Raises:
            Conflict: the key was used for something else.
        """
        name, deadline = name_of(checked(key)), Deadline(self.timeout)
        asked = json.dumps([operation, *of], sort_keys=True)
        mine = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        lock = self._locks.setdefault(name, asyncio.Lock())
        try:
            async with asyncio.timeout(deadline.left):
                await lock.acquire()
        except TimeoutError as error:
            raise Unknown("the same write is going on") from error
        try:
            return await self._do(name, operation, mine, plan, deadline=deadline)
        finally:
            lock.release()
            if not lock.locked():
                self._locks.pop(name, None)

    async def outcome(self, key: str) -> Done | None:
        """What was done for a key."""
        name, deadline = name_of(checked(key)), Deadline(self.timeout)
        mark = await self._settled(name, deadline)
        if mark is None or mark.done is not None:
            return _done(mark.done) if mark and mark.done else None
        result = await self._look(mark, deadline)
        if result is not None:
            await self._finish(mark, result, deadline)
            return _done(result)
        if self._is_late(name):
            raise Unknown("Shopify may still be at it")
        return None

    async def prune(self) -> int:
        """Drop marks of long ago; how many."""
        return await self.marks.prune(Deadline(self.timeout))

    async def _do(
        self,
        name: str,
        operation: str,
        mine: str,
        plan: Callable[[str, Deadline], Awaitable[Plan]],
        *,
        deadline: Deadline,
    ) -> Done:
        while True:
            mark = await self._settled(name, deadline)
            if mark and mark.of != mine:
                raise Conflict("this key was used for another write")
            if mark and mark.done is not None:
                return _done(mark.done)
            facts = await self.reader.facts(deadline)
            begun = mark is not None
            new = Mark(
                name=name,
                digest=mark.digest if mark else None,
                operation=operation,
                of=mine,
                by=self.me,
                at=datetime.now(UTC),
                plan=mark.plan if mark else await plan(name, deadline),
            )
            try:
                new = await self.marks.write(new, facts.installation, deadline)
            except Taken:
                continue
            return _done(await self._act(new, facts.installation, begun=begun, deadline=deadline))

    async def _act(self, mark: Mark, owner: str, *, begun: bool, deadline: Deadline) -> Result:
        how = self.acts[mark.operation]
        result = await self._look(mark, deadline) if begun else None
        if result is None:
            try:
                result = await how.act(self.reader, mark.plan, deadline)
            except Slow:
                self._late[mark.name] = time.monotonic() + self.timeout
                raise
            except Unknown:
                raise
            except OrderError as error:
                result = await self._refused(mark, owner, error, begun=begun, deadline=deadline)
        self._late.pop(mark.name, None)
        await self._finish(mark, result, deadline)
        return result

    async def _look(self, mark: Mark, deadline: Deadline) -> Result | None:
        """Whether what the plan wants is so. For one that Shopify may still be at, half of the time
        is spent on waiting for it."""
        enough = deadline.left / 2
        while True:
            result = await self.acts[mark.operation].seen(self.reader, mark.plan, deadline)
            if result is not None or not self._is_late(mark.name) or deadline.left < enough:
                return result
            await asyncio.sleep(LOOK)

    def _is_late(self, name: str) -> bool:
        if self._late.get(name, 0.0) > time.monotonic():
            return True
        self._late.pop(name, None)
        return False

    async def _refused(
        self, mark: Mark, owner: str, error: OrderError, *, begun: bool, deadline: Deadline
    ) -> Result:
        """Nothing was done now: because an earlier attempt had done it, or because it cannot be."""
        if begun and isinstance(error, NotAllowed | NotFound | Conflict):
            result = await self.acts[mark.operation].seen(self.reader, mark.plan, deadline)
            if result is not None:
                return result
        if not begun or not isinstance(error, Unavailable):
            with suppress(OrderError):  # a mark that stays has no outcome: the same key looks again
                await self.marks.drop([mark.name], owner, deadline)
        raise error

    async def _finish(self, mark: Mark, result: Result, deadline: Deadline) -> None:
        """Note what came of it. If that fails, it is still done, and can be seen."""
        with suppress(OrderError, Taken):
            facts = await self.reader.facts(deadline)
            await self.marks.write(
                dataclasses.replace(mark, done=result), facts.installation, deadline
            )
            self._written += 1
            if self._written % PRUNE_EACH == 0:
                await self.marks.prune(deadline)

    async def _settled(self, name: str, deadline: Deadline) -> Mark | None:
        """The mark, once no other process is working on it."""
        while True:
            mark = await self.marks.read(name, deadline)
            if mark is None or mark.done is not None or mark.by == self.me:
                return mark
            if (datetime.now(UTC) - mark.at).total_seconds() > 2 * self.timeout:
                return mark
            if deadline.left < 2 * LOOK:
                raise Unknown("another process is at it")
            await asyncio.sleep(LOOK)


def _done(result: Result) -> Done:
    refund = result.get("refund")
    return Done(
        reference=result["reference"],
        refund=Money(int(refund[0]), str(refund[1])) if refund else None,
        label_url=result.get("label_url", ""),
    )
