"""IntentRules: where a rule knows better than the classifier.

A classifier weighs a whole message, so "my parcel is late again, get me a person" becomes a question
about a parcel. Whoever asks for a person in plain words gets one, whatever else the message says;
and a message without a single letter or digit says nothing that could be classified. What
`SupportIntents` tells of several wishes, or of two intents too close to tell, becomes an intent here.
"""

import re
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

_SOMEBODY = (
    r"(?:person|people|human(?:\s+being)?|agent|advis[eo]r|representative|rep|operator|manager|"
    r"supervisor|colleague|member\s+of\s+(?:the\s+)?(?:staff|team)|real\s+one)s?"
)
_WHICH = (
    r"(?:(?:a|an|the|some|your|any|another|one|actual|real|live|proper|human|support|service)\s+)*"
)
_REACH = re.compile(
    r"\b(?:(?:talk|speak|chat|spk|spek)(?:ing)?\s+(?:to|with|2)|(?:connect|transfer|pass|hand|put)\s+me"
    r"(?:\s+(?:on|over|through|thru))*\s+(?:to|with))\s+"
    rf"{_WHICH}(?:{_SOMEBODY}|some(?:one|body)|any(?:one|body))\b",
    re.IGNORECASE,
)
# "I need a person", but not "for a person of my size" nor "a person who climbs".
_GET = re.compile(
    r"\b(?:get|give|bring|find|need|want|prefer)\s+(?:me\s+)?(?:in\s+)?"
    rf"{_WHICH}{_SOMEBODY}\b(?!\s+(?:of|who|with|sized?|tent|weighing|over|under)\b)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(?:\b(?:no|not|never|without|neither|instead\s+of)|n['’]?t)\s+(?:\w+\s+){0,3}$", re.IGNORECASE
)
# "Am I talking to a person?" asks who is there, and not for somebody else.
_WHO = re.compile(r"\b(?:am|was)\s+i\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


# "NP-123456", "my order number is 123456": whoever says no more wants to know about that order.
_ORDER_ALONE = re.compile(
    r"\W*(?:(?:hi|hello|my|the|it'?s|for|about|order|number|no|nr|is)\W+)*"
    r"(?:[a-z]{1,4}\s?[-#:.]?\s?|#\s?)?\d{3}\s?\d{3}\W*",
    re.IGNORECASE,
)


def asks_for_person(text: Text) -> bool:
    """Whether a person is asked for in plain words, and not declined in them."""
    for pattern in (_REACH, _GET):
        for found in pattern.finditer(text):
            before = text[: found.start()]
            if not _NOT.search(before) and not _WHO.search(before):
                return True
    return False


# Registered as an extractor and not as a classifier: of extractors Rasa calls `process` when serving
# only, so that the classifiers are trained and tested on what they say themselves.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class IntentRules(GraphComponent):
    """Replaces the intent of a message where a rule is sure. Stands after the classifiers."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            # The intent of a plain wish for a person.
            "person": "request_person",
            # The intent of an order number and nothing else.
            "order": "track_order",
            # The intent of a message that says nothing.
            "nothing": "nlu_fallback",
            # The intent of a message with several wishes, and of one that may mean two things. The
            # second goes where a question goes: an article may answer before anybody has to ask.
            "several": "several_wishes",
            "unclear": "nlu_fallback",
        }

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "IntentRules":
        return cls(config)

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config

    def process(self, messages: List[Message]) -> List[Message]:
        """Look at each message in place."""
        for message in messages:
            text = message.get(TEXT) or ""
            if not any(character.isalnum() for character in text):
                self._set(message, self._config["nothing"])
            elif asks_for_person(text):
                self._set(message, self._config["person"])
            elif _ORDER_ALONE.fullmatch(text):
                self._set(message, self._config["order"])
            else:
                self._follow_classifier(message)
        return messages

    def _follow_classifier(self, message: Message) -> None:
        wishes = message.get("wishes") or []
        if any(wish["intent"] == self._config["person"] for wish in wishes):
            self._set(message, self._config["person"])
        elif len(wishes) > 1:
            self._set(message, self._config["several"])
        elif message.get("between"):
            self._unclear(message)

    def _unclear(self, message: Message) -> None:
        """As Rasa's fallback does it: what the classifier said stays in the ranking, beneath."""
        fallback = {"name": self._config["unclear"], "confidence": 1.0}
        ranking = message.get(INTENT_RANKING_KEY) or []
        if not ranking or ranking[0].get("name") != fallback["name"]:
            message.set(INTENT_RANKING_KEY, [fallback, *ranking], add_to_output=True)
        message.set(INTENT, fallback, add_to_output=True)

    def _set(self, message: Message, name: Text) -> None:
        message.set(INTENT, {"name": name, "confidence": 1.0}, add_to_output=True)
