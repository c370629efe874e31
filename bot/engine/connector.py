"""Our door into Rasa: one turn in, everything that happened out.

Rasa's own REST channel answers 200 with an empty list whether the bot had nothing to say or an
action server burnt down. This one tells them apart: 200 with replies, 422 for a malformed request,
500 with the reason when anything in the turn failed (the tracker is then left as it was, so that
the same turn can be tried again), 503 while no model is loaded. It wants a shared secret.

A turn is known by its id: when an earlier attempt was finished and only its answer got lost, the
replies are read back from the tracker and nothing is done twice.
"""

import hmac
import logging
import os
import re
import time
from typing import Any, Awaitable, Callable, Dict, List, Optional, Text

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json

from bot.engine import frugal, meant

SECRET_VARIABLE = "ENGINE_SECRET"
LONGEST_TEXT = 8000
APOLOGY_TURNS = 3  # replies before this one that are searched for an apology
_SORRY = re.compile(r"\b(?:sorry|apolog\w+)\b", re.IGNORECASE)
EVENTS_OF_TWO_TURNS = 24

logger = logging.getLogger(__name__)


class TurnFailed(Exception):
    """Something in the turn failed; the text says what, and holds no customer's words."""


class Collector(OutputChannel):
    """Keeps every reply as the dictionary that Rasa made of it."""

    def __init__(self) -> None:
        self.messages: List[Dict[Text, Any]] = []

    @classmethod
    def name(cls) -> Text:
        return "rapport"

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        self.messages.append(dict(message))


class RapportInput(InputChannel):
    """The connector; named in ``credentials.yml``."""

    @classmethod
    def name(cls) -> Text:
        return "rapport"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> "RapportInput":
        secret = (credentials or {}).get("secret") or os.environ.get(SECRET_VARIABLE, "")
        if len(secret) < 20:
            raise RasaException(
                f"The environment variable {SECRET_VARIABLE} must hold the secret that the gateway "
                "uses (20 characters at least). `make run` sets it by itself."
            )
        frugal.apply()
        return cls(secret)

    def __init__(self, secret: Text) -> None:
        self._secret = secret

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        blueprint = Blueprint("rapport")

        @blueprint.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            if not self._is_gateway(request):
                return json({"detail": "the shared secret is missing or wrong"}, 401)
            if not _loaded(request):
                return json({"detail": "no model is loaded"}, 503)
            return json({"status": "ready"})

        @blueprint.route("/ask", methods=["POST"])
        async def ask(request: Request) -> HTTPResponse:
            if not self._is_gateway(request):
                return json({"detail": "the shared secret is missing or wrong"}, 401)
            question = _question(request)
            if isinstance(question, str):
                return json({"detail": question}, 422)
            if not _loaded(request):
                return json({"detail": "no model is loaded"}, 503)
            try:
                return json(await answer(request.app.ctx.agent, question))
            except TurnFailed as error:
                logger.error("turn %s failed: %s", question["turn_id"], error)
                return json({"detail": str(error)}, 500)
            except Exception as error:
                logger.exception("turn %s broke", question["turn_id"])
                return json({"detail": f"{type(error).__name__} in the engine"}, 500)

        return blueprint

    def _is_gateway(self, request: Request) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode())


async def answer(agent: Agent, question: Dict[Text, Any]) -> Dict[Text, Any]:
    """Take one turn; raises `TurnFailed`. The gateway sees to it that turns of one conversation
    come one after the other; the lock is for everybody else."""
    conversation_id = question["conversation_id"]
    async with agent.lock_store.lock(conversation_id):
        if question["attempt"] > 1:
            earlier = await agent.processor.get_tracker(conversation_id)
            if _latest_turn(earlier) == question["turn_id"]:
                replies = [e.message() for e in _turn_events(earlier) if isinstance(e, BotUttered)]
                return _report(earlier, replies)
        return await _take(agent, question)


async def _take(agent: Agent, question: Dict[Text, Any]) -> Dict[Text, Any]:
    """`MessageProcessor.handle_message` of Rasa 3.6, keeping the tracker in hand and looking at what
    happened before anything is saved."""
    collector = Collector()
    message = UserMessage(
        _plain(question["text"]),
        collector,
        question["conversation_id"],
        input_channel=RapportInput.name(),
        message_id=question["turn_id"],
        metadata={
            "turn_id": question["turn_id"],
            "mood": question.get("mood"),
            "at": question.get("at") or time.time(),
            "offer": question.get("offer"),
        },
    )
    processor = agent.processor
    tracker = await processor.log_message(message, should_save_tracker=False)
    _settle(tracker)
    mood = tracker.latest_message.parse_data.get("mood") or {}
    # Before any rule runs, so that the wording of this very reply can follow the mood.
    tracker.update(SlotSet("tone", mood.get("label", "neutral")), processor.domain)
    tracker.update(SlotSet("apologised", _apologised(tracker)), processor.domain)
    tracker.update(SlotSet("sees_orders", bool(question.get("orders"))), processor.domain)
    tracker = await processor.run_action_extract_slots(collector, tracker)
    await processor._run_prediction_loop(collector, tracker)
    failed = _failed_actions(_turn_events(tracker))
    if failed:
        raise TurnFailed(f"action failed: {', '.join(failed)}")
    await processor.save_tracker(tracker)
    return _report(tracker, collector.messages)


def _apologised(tracker: DialogueStateTracker) -> bool:
    """Whether one of the replies to the last messages, this one left out, said sorry: it is said
    once, and not in every message."""
    turns = 0
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            turns += 1
            if turns > APOLOGY_TURNS:
                return False
        elif isinstance(event, BotUttered) and _SORRY.search(event.text or ""):
            return True
    return False


def _settle(tracker: DialogueStateTracker) -> None:
    """An answer to "Did you mean ...?" is understood from what was asked, and by no classifier."""
    message = tracker.latest_message
    # Two turns back at most: a whole conversation need not be turned into dictionaries.
    recent = list(tracker.events)[-EVENTS_OF_TWO_TURNS:]
    events = [e.as_dict() for e in recent if isinstance(e, (UserUttered, BotUttered))]
    question = meant.standing(events)
    found = meant.understanding(message.text or "", question) if question else None
    if found:
        message.intent = found["intent"]
        message.parse_data.update(found)
        message.parse_data.pop("between", None)


def _plain(text: Text) -> Text:
    """Text that Rasa reads as text: a leading slash would make it a command ("/restart")."""
    stripped = text.strip().lstrip("/").strip()
    return stripped or "?"


def _latest_turn(tracker: DialogueStateTracker) -> Optional[Text]:
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return event.message_id
    return None


def _turn_events(tracker: DialogueStateTracker) -> List[Event]:
    """What happened since the customer's last message."""
    events: List[Event] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        events.append(event)
    return events[::-1]


def _failed_actions(events: List[Event]) -> List[Text]:
    """Custom actions that ran and left nothing.

    Rasa swallows an action's exception and notes the action as executed, without events. Each of
    our actions says something or returns an event, so leaving nothing behind is how a failure looks.
    """
    failed = []
    for position, event in enumerate(events):
        if isinstance(event, ActionExecuted) and _is_custom(event.action_name):
            following = events[position + 1] if position + 1 < len(events) else None
            if following is None or isinstance(following, ActionExecuted):
                failed.append(event.action_name)
    return failed


def _is_custom(name: Optional[Text]) -> bool:
    # Rasa's own actions that are no failure when they leave nothing.
    rasas = {"action_listen", "action_session_start", "action_extract_slots"}
    return bool(name) and name.startswith(("action_", "job_form")) and name not in rasas


def _report(tracker: DialogueStateTracker, replies: List[Dict[Text, Any]]) -> Dict[Text, Any]:
    understood = tracker.latest_message.parse_data
    intent = understood.get("intent") or {}
    return {
        "replies": replies,
        "intent": {
            "name": intent.get("name") or "none",
            "confidence": float(intent.get("confidence") or 0.0),
        },
        "entities": [
            {
                key: entity.get(key)
                for key in ("entity", "value", "start", "end", "additional_info")
                if key in entity
            }
            for entity in understood.get("entities") or []
        ],
        "emotion": understood.get("emotion") or {},
        "mood": understood.get("mood"),
        "actions": [
            event.action_name
            for event in _turn_events(tracker)
            if isinstance(event, ActionExecuted) and event.action_name != "action_listen"
        ],
        "slots": {
            name: value
            for name, value in tracker.current_slot_values().items()
            if value is not None
        },
    }


def _loaded(request: Request) -> bool:
    agent = getattr(request.app.ctx, "agent", None)
    return agent is not None and agent.is_ready()


def _question(request: Request) -> Any:
    """The request's body, or a sentence that says what is wrong with it."""
    try:
        body = request.json
    except Exception:
        return "the body is no JSON"
    if not isinstance(body, dict):
        return "the body is no JSON object"
    for name in ("conversation_id", "turn_id", "text"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            return f"{name} must be a text that is not empty"
    if len(body["text"]) > LONGEST_TEXT:
        return f"text is longer than {LONGEST_TEXT} characters"
    attempt = body.setdefault("attempt", 1)
    if not isinstance(attempt, int) or isinstance(attempt, bool) or attempt < 1:
        return "attempt must be a whole number from 1"
    for name in ("mood", "offer"):
        if not isinstance(body.get(name), (dict, type(None))):
            return f"{name} must be an object or null"
    return body
