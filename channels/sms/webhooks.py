"""What Twilio calls: a customer's text, what became of ours, a call to the number.

Everything is signed, or refused with 403; whatever is stored is stored before Twilio gets its answer,
so what gets none is sent again and has no second effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from bot.settings import Settings
from bot.store import sendings
from bot.support import Support
from bot.turns import Turns
from bot.wakeups import DESK, Wakeups
from channels.contract import Arrived
from channels.sms import wording
from channels.sms.channel import CHANNEL
from channels.sms.hearing import Hearing
from channels.sms.signature import Fields, Keys, NotTwilio, verified
from channels.sms.vendor import WORDS
from channels.sms.words import Wish

TWIML = "text/xml"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
LONGEST = 100_000  # characters of a text that are kept; Twilio's own limit is 1,600

RANKS = {
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "canceled": 5,
    "undelivered": 5,
    "failed": 5,
    "delivered": 6,  # a phone that has it has it, whatever is said later
    "read": 7,
}
"""Twilio's states of a message in the order in which they can follow."""

log = structlog.get_logger("sms")


def keys_of(settings: Settings) -> Keys:
    """The secrets that requests may be signed with."""
    return Keys(settings.twilio_tokens, settings.twilio_shared)


def router(
    support: Support, turns: Turns, wakeups: Wakeups, hearing: Hearing, settings: Settings
) -> APIRouter:
    """The routes under ``/channels/sms``."""
    routes = APIRouter(prefix="/channels/sms", include_in_schema=False)
    door = Door(keys_of(settings), settings.origin)
    inbox = Inbox(support, turns, hearing, settings)

    @routes.post("")
    async def message(request: Request) -> Response:
        """A customer's text. Twilio gets an empty answer at once; ours goes out by itself."""
        try:
            fields = await door.let_in(request)
        except NotTwilio:
            return _refused()
        if not await inbox.take(fields):
            return Response("The message has no MessageSid or no From.", 400)
        return Response(EMPTY, media_type=TWIML)

    @routes.post("/status")
    async def status(request: Request) -> Response:
        """What became of a message of ours."""
        try:
            fields = await door.let_in(request)
        except NotTwilio:
            return _refused()
        await to_thread.run_sync(_note_state, support, wakeups, fields)
        return Response(status_code=204)

    @routes.post("/voice")
    async def call(request: Request) -> Response:
        """Somebody calls the number."""
        try:
            await door.let_in(request)
        except NotTwilio:
            return _refused()
        words = escape(wording.CALL.format(business=settings.business_name))
        said = f'<Response><Say language="en-GB">{words}</Say><Hangup/></Response>'
        return Response(f'<?xml version="1.0" encoding="UTF-8"?>{said}', media_type=TWIML)

    return routes


class Door:
    """Lets in what Twilio has signed."""

    def __init__(self, keys: Keys, origin: str):
        self._keys = keys
        self._origin = origin

    async def let_in(self, request: Request) -> Fields:
        """The request's fields; raises NotTwilio, which is logged."""
        query = request.url.query
        # As Twilio was told to call it: behind a proxy the request itself does not know.
        url = f"{self._origin}{request.url.path}{'?' if query else ''}{query}"
        body = await request.body()
        headers: Mapping[str, str] = request.headers
        try:
            return verified(self._keys, url, headers, body)
        except NotTwilio as why:
            log.warning("sms.refused", reason=str(why), path=request.url.path, bytes=len(body))
            raise


class Inbox:
    """What to do with a text."""

    def __init__(self, support: Support, turns: Turns, hearing: Hearing, settings: Settings):
        self._support = support
        self._hearing = hearing
        self._turns = turns
        self._business = settings.business_name
        web = settings.origin if settings.public_url else ""
        self._help = wording.HELP.format(
            business=self._business, web=wording.WEB.format(url=web) if web else ""
        )

    async def take(self, fields: Fields) -> bool:
        """Store it, and begin to work on it; false when it is no message."""
        sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid") or ""
        sender = fields.get("From", "").strip()
        if not sid or not sender or len(sid) > 100 or len(sender) > 80:
            log.error("sms.unusable", has_sid=bool(sid), has_sender=bool(sender))
            return False
        arrived = self._arrived(sid, sender, fields)
        wish = await to_thread.run_sync(self._wish, fields)
        if wish in (Wish.STOP, Wish.START):
            if await to_thread.run_sync(self._opt, arrived, wish, "OptOutType" in fields):
                return True
        elif wish is Wish.HELP:
            answer = "" if "OptOutType" in fields else self._help
            await self._land(_with(arrived, answer=answer))
            return True
        await self._land(arrived)
        return True

    def _arrived(self, sid: str, sender: str, fields: Fields) -> Arrived:
        text = _storable(fields.get("Body", ""))
        media = _count(fields.get("NumMedia", ""))
        answer, heads_up = None, ""
        if media:
            kinds = sorted(
                {_storable(fields.get(f"MediaContentType{at}", "file"))[:40] for at in range(media)}
            )
            mark = wording.MEDIA_MARK.format(count=media, kinds=", ".join(kinds))
            if text.strip():
                heads_up = wording.NO_MEDIA
            else:
                answer = wording.NO_MEDIA
            text = f"{text}\n{mark}".strip()
        elif not text.strip():
            text, answer = "(a text without words)", wording.EMPTY
        return Arrived(
            channel=CHANNEL,
            address=sender,
            vendor_id=sid,
            text=text,
            via=fields.get("MessagingServiceSid", "")[:80] or fields.get("To", "")[:80],
            account=fields.get("AccountSid", ""),
            answer=answer,
            heads_up=heads_up,
        )

    def _wish(self, fields: Fields) -> Wish | None:
        """What the customer asks of the number; Twilio's own reading first."""
        named = fields.get("OptOutType", "").lower()
        if named in list(Wish):
            return Wish(named)
        return self._hearing.wish_in(fields.get("Body", ""))

    async def _land(self, arrived: Arrived) -> None:
        landed = await to_thread.run_sync(self._support.arrive, arrived)
        if landed.lease:
            self._turns.start(landed.conversation_id, landed.lease)
        if landed.duplicate:
            log.info("sms.duplicate", sid=arrived.vendor_id)

    def _opt(self, arrived: Arrived, wish: Wish, confirmed: bool) -> bool:
        """Note a STOP or START; ``confirmed``: the vendor has answered it itself. False for a START
        of somebody who never stopped: a "yes" is an answer then, and the bot's."""
        stop = wish is Wish.STOP
        if not stop and not self._support.stopped(CHANNEL, arrived.address):
            return False
        said = (wording.STOPPED if stop else wording.STARTED).format(business=self._business)
        answer = "" if confirmed else said
        self._support.opt_out(_with(arrived, answer=answer, last=stop), stopped=stop)
        log.info("sms.opt_out", stopped=stop)
        return True


def _with(arrived: Arrived, *, answer: str, last: bool = False) -> Arrived:
    from dataclasses import replace

    return replace(arrived, answer=answer, heads_up="", last=last)


def _storable(text: str) -> str:
    """A text without what no store holds; one that is beyond all measure is cut, and says so."""
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} [… {len(text) - LONGEST} more characters]"


def _count(text: str) -> int:
    return min(int(text), 10) if text.isascii() and text.isdigit() else 0


def _note_state(support: Support, wakeups: Wakeups, fields: Fields) -> None:
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    state = (fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()
    if not sid or state not in RANKS or len(sid) > 80:
        log.warning("sms.odd_status", status=state[:20])
        return
    with support.database.transaction() as tx:
        now = support.database.now(tx)
        error = why(fields.get("ErrorCode", ""))
        news = sendings.note_state(
            tx, CHANNEL, sid, state=state, rank=RANKS[state], error=error, now=now
        )
        ours = sendings.by_vendor_id(tx, CHANNEL, sid) if news else None
        conversation_id = sendings.conversation_of(tx, ours.delivery_id) if ours else None
    if conversation_id:
        wakeups.wake(DESK)


def why(code: str) -> str:
    """Twilio's code in words, with the code for whoever looks it up."""
    if not code or not code.isdigit():
        return ""
    known = WORDS.get(int(code))
    return f"{known} (Twilio {code})" if known else f"Twilio {code}"


def _refused() -> Response:
    """The same for whatever was wrong: who forges requests learns nothing."""
    return Response("Not signed by Twilio for this address.", 403)
