"""The workspace as a test builds it, and what it asks of it afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.simulate.slackd.delivery import Ack, Delivery, Dispatcher
from bot.simulate.slackd.views import Views
from bot.simulate.slackd.workspace import Channel, Message, User, Workspace


@dataclass(frozen=True)
class Call:
    """One call of the Web API, whatever was answered."""

    method: str
    arguments: dict[str, Any]
    time: float
    token: str | None
    headers: dict[str, str]


class Looking:
    """Nothing here happens in Slack: nobody is told of it."""

    workspace: Workspace
    views: Views
    dispatcher: Dispatcher
    calls: list[Call]

    @property
    def bot(self) -> User:
        return self.workspace.bot

    @property
    def mention(self) -> str:
        return self.workspace.bot.mention

    def add_user(self, name: str, email: str | None = None, **flags: Any) -> User:
        return self.workspace.add_user(name, email, **flags)

    def add_channel(
        self, name: str, members: Iterable[User | str] = (), *, bot: bool = True, **flags: Any
    ) -> Channel:
        return self.workspace.add_channel(name, members, bot=bot, **flags)

    def open_im(self, user: User | str) -> Channel:
        return self.workspace.open_im(user)

    def user(self, who: User | str) -> User:
        return self.workspace.user(who)

    def channel(self, where: Channel | str) -> Channel:
        return self.workspace.channel(where)

    def thread(self, channel: Channel | str, ts: str) -> list[Message]:
        return self.workspace.thread(channel, ts)

    def ephemerals(self, user: User | str, channel: Channel | str = "im") -> list[Message]:
        """What only this person sees there."""
        where = self.open_im(user) if channel == "im" else self.channel(channel)
        person = self.user(user).id
        return [it for it in where.ephemerals if it.ephemeral_to == person and not it.deleted]

    def last_view(self, user: User | str) -> dict[str, Any] | None:
        return self.views.last(self.workspace.user(user).id)

    def called(self, method: str) -> list[Call]:
        return [it for it in self.calls if it.method == method]

    @property
    def connections(self) -> int:
        """How many web sockets the app has open."""
        return len([it for it in self.dispatcher.sockets if not it.closed])

    @property
    def ack_seconds(self) -> float:
        """How long Slack waits for an acknowledgement; a test may set it."""
        return self.dispatcher.ack_seconds

    @ack_seconds.setter
    def ack_seconds(self, seconds: float) -> None:
        self.dispatcher.ack_seconds = seconds

    @property
    def acks(self) -> list[Ack]:
        return self.dispatcher.acks

    @property
    def deliveries(self) -> list[Delivery]:
        return self.dispatcher.deliveries

    def delivery(self, event_id: str) -> Delivery:
        """How the last sending of an event went."""
        return next(it for it in reversed(self.deliveries) if it.event_id == event_id)

    def wait(self, true: Callable[[], Any], seconds: float = 5.0) -> Any:
        """Until it is true, from a thread that has nothing else to do."""
        end = time.monotonic() + seconds
        while not (result := true()):
            if time.monotonic() > end:
                raise TimeoutError("it did not come true")
            time.sleep(0.01)
        return result

    async def wait_async(self, true: Callable[[], Any], seconds: float = 5.0) -> Any:
        """The same, in the loop that the app runs in too."""
        end = time.monotonic() + seconds
        while not (result := true()):
            if time.monotonic() > end:
                raise TimeoutError("it did not come true")
            await asyncio.sleep(0.01)
        return result
