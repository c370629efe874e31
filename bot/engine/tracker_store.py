"""Rasa's SQL tracker store, without reading a whole conversation again for each of its messages.

Rasa 3.6 rebuilds the tracker from its rows at every turn, with reflection for each event, and counts
the rows again to save the new ones: after thirty turns that was nearly half of a turn's time. Here
the tracker of a finished turn is kept in memory and used for the next one, if the database still
ends with the event that it ended with. Another engine's turn, a restart, or a turn that failed and
was never saved makes us read the rows as ever.
"""

import json
from collections import OrderedDict
from itertools import islice
from typing import Any, Dict, Optional, Text, Tuple

import sqlalchemy as sa
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.orm import sessionmaker

MOST_KEPT = 500  # conversations
MOST_EVENTS = 80  # of a kept conversation, about ten turns; slots stay whatever their age


class RapportTrackerStore(SQLTrackerStore):
    """Named in ``endpoints.yml``; takes the same settings as Rasa's ``SQL`` store."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: "OrderedDict[Text, Tuple[int, DialogueStateTracker]]" = OrderedDict()
        # Trackers that are out for a turn, and how many of their events are stored already.
        self._out: "OrderedDict[Text, Tuple[DialogueStateTracker, int]]" = OrderedDict()
        # Only one engine can have a SQLite file; PostgreSQL may be shared by several.
        self._shared = self.engine.dialect.name != "sqlite"
        if not self._shared:
            # SQLAlchemy 1.4 opens a SQLite file anew for each session; a pool keeps it open.
            self.engine = sa.create_engine(
                self.engine.url,
                poolclass=sa.pool.QueuePool,
                connect_args={"check_same_thread": False},
            )
            sa.event.listen(self.engine, "connect", _for_speed)
            self.sessionmaker = sessionmaker(bind=self.engine)

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """The tracker of the latest session; the caller may change it as it likes."""
        # Taken out, so that a turn which fails half-way leaves no half-changed tracker behind.
        last, tracker = self._kept.pop(sender_id, (0, None))
        if tracker is None or (self._shared and self._last_event(sender_id) != last):
            tracker = await super().retrieve(sender_id)
        if tracker is not None:
            _remember(self._out, sender_id, (tracker, len(tracker.events)))
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the events that are not stored yet."""
        known, stored = self._out.pop(tracker.sender_id, (None, 0))
        if known is not tracker:  # not one that we gave out: count its rows, as Rasa does
            await super().save(tracker)
            return
        await self.stream_events(tracker)
        rows = [_row(tracker.sender_id, e) for e in islice(tracker.events, stored, None)]
        with self.engine.begin() as connection:
            if rows:
                connection.execute(self.SQLEvent.__table__.insert(), rows)
            last = self._last_event(tracker.sender_id, connection) if self._shared else 0
        while len(tracker.events) > MOST_EVENTS:
            tracker.events.popleft()
        _remember(self._kept, tracker.sender_id, (last, tracker))

    def _last_event(self, sender_id: Text, connection: Any = None) -> int:
        table = self.SQLEvent.__table__
        query = sa.select(sa.func.max(table.c.id)).where(table.c.sender_id == sender_id)
        if connection is not None:
            return connection.execute(query).scalar() or 0
        with self.engine.connect() as opened:
            return opened.execute(query).scalar() or 0


def _row(sender_id: Text, event: Event) -> Dict[Text, Any]:
    """An event as Rasa stores it."""
    data = event.as_dict()
    return {
        "sender_id": sender_id,
        "type_name": event.type_name,
        "timestamp": data.get("timestamp"),
        "intent_name": data.get("parse_data", {}).get("intent", {}).get("name"),
        "action_name": data.get("name"),
        "data": json.dumps(data),
    }


def _remember(kept: "OrderedDict[Text, Any]", sender_id: Text, value: Any) -> None:
    kept[sender_id] = value
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)


def _for_speed(connection: Any, _record: Any) -> None:
    # The transcript of record is the gateway's. What a power cut may cost here is the dialogue state
    # of the last moments; a killed process costs nothing.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
