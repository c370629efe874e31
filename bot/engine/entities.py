"""SupportEntities: what a message names that can be looked up.

`figures` finds order numbers, addresses, phone numbers and amounts, `dates` days, `products` what the
catalogue holds; here they become entities of the message, none overlapping another. spaCy's English
tokenizer and token patterns only; no model is downloaded. Each finding is normalised, so that an
action can look it up as it stands.
"""

from __future__ import annotations

import hashlib
import re
import time
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Text, Tuple

import spacy
from dateutil import tz
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.util import compile_infix_regex, compile_prefix_regex

from bot.engine import figures
from bot.engine.catalogue import CatalogueError, read
from bot.engine.dates import find_dates
from bot.engine.figures import HYPHENS
from bot.engine.products import Products

Found = Tuple[Text, int, int, Text, Dict[Text, Any]]  # entity, start, end, value, extra keys


# Trainable, though nothing is learnt: only then does Rasa read the catalogue when it trains, and a
# mistake in it ends the training and not the next start.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class SupportEntities(GraphComponent, EntityExtractorMixin):
    """Appends what it finds to each message's entities.

    order_number "NP-123456" · email in lower case · phone "+" and digits · amount "49.95", with its
    currency · date, an ISO day, with `direction` and, for a span, `start` and `end` · product, a name
    of the catalogue, with its category · product_category, with the products it may be. What goes
    with a value is in `additional_info`.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            # Letters that every order number begins with, and its count of digits.
            "order_prefix": "NP",
            "order_digits": 6,
            # Calling code of phone numbers written the national way, with a leading 0.
            "calling_code": "44",
            # What "today" is: the customers' time zone; and whether 3/4 is the 3rd of April.
            "time_zone": "Europe/London",
            "day_first": True,
            # The products; an empty text: none are looked for.
            "catalogue": "data/catalogue.csv",
        }

    @staticmethod
    def required_packages() -> List[Text]:
        return ["spacy"]

    @classmethod
    def fingerprint_addon(cls, config: Dict[Text, Any]) -> Optional[Text]:
        """The catalogue's own hash."""
        path = Path({**cls.get_default_config(), **config}["catalogue"] or ".")
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SupportEntities:
        """Read the catalogue. Raises InvalidConfigException, which names its line, or the setting."""
        return cls(config, resource)

    def __init__(self, config: Dict[Text, Any], resource: Resource) -> None:
        self._config = config
        self._resource = resource
        self._nlp = _tokenizer()
        self._matcher = _matcher(self._nlp, config["order_digits"])
        self._zone = _zone(config["time_zone"])
        try:
            entries = read(Path(config["catalogue"])) if config["catalogue"] else []
        except CatalogueError as error:
            raise InvalidConfigException(str(error)) from error
        self._products = Products(entries)

    def train(self, training_data: TrainingData) -> Resource:
        """Nothing to learn: the catalogue was read when this was made."""
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Append what each message holds, in place, in the order of the text."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                at = (message.get("metadata") or {}).get("at") or time.time()
                today = datetime.fromtimestamp(at, self._zone).date()
                found = self.add_extractor_name(self._entities(text, today))
                message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages

    def _entities(self, text: Text, today: date) -> List[Dict[Text, Any]]:
        """What the text holds; where two findings overlap, the first one of `_findings` stays."""
        taken: List[Found] = []
        for one in self._findings(text, today):
            if not any(one[1] < end and start < one[2] for _, start, end, _, _ in taken):
                taken.append(one)
        return [
            {"entity": entity, "start": start, "end": end, "value": value, **extra}
            for entity, start, end, value, extra in sorted(taken, key=lambda one: one[1])
        ]

    def _findings(self, text: Text, today: date) -> Iterator[Found]:
        config = self._config
        if any(character.isdigit() for character in text):
            for start, end, value, extra in figures.order_numbers(
                text, config["order_prefix"], config["order_digits"]
            ):
                yield "order_number", start, end, value, extra
        yield from self._matched(self._nlp(text))
        for start, end, value, extra in figures.spoken_emails(text):
            yield "email", start, end, value, extra
        for start, end, value, extra in figures.amounts(text):
            yield "amount", start, end, value, extra
        for day in find_dates(text, today, day_first=config["day_first"]):
            yield "date", day.start, day.end, day.value, {"additional_info": day.extra}
        for start, end, value, extra in figures.phones(text, config["calling_code"]):
            yield "phone", start, end, value, extra
        for one in self._products.find(text):
            about: Dict[Text, Any] = {"category": one.category}
            if one.candidates:
                about["candidates"] = list(one.candidates)
            if one.product:
                yield "product", one.start, one.end, one.product, {"additional_info": about}
            elif one.category:
                yield (
                    "product_category",
                    one.start,
                    one.end,
                    one.category,
                    {"additional_info": about},
                )

    def _matched(self, doc: Doc) -> Iterator[Found]:
        """Addresses, and order numbers that only the words before them tell from others."""
        for span in spacy.util.filter_spans(self._matcher(doc, as_spans=True)):
            if span.label_ == "email":
                yield "email", span.start_char, span.end_char, span.text.lower(), {}
                continue
            # "order no. 123456": the words said what the number is, the number is the entity
            number = re.search(r"(#\s*)?\d[\d\s]*$", span.text)
            if re.match(rf"[\s{HYPHENS}]?\d", doc.text[span.end_char :]):
                continue  # the beginning of something longer, a card's number perhaps
            digits = re.sub(r"\D", "", number.group())
            start = span.start_char + number.start()
            value = f"{self._config['order_prefix']}-{digits}"
            yield "order_number", start, span.end_char, value, {}


def _zone(name: Text) -> tzinfo:
    zone = tz.gettz(name)
    if zone is None:
        raise InvalidConfigException(
            f"SupportEntities: there is no time zone {name!r}. Set `time_zone` in config.yml to a "
            "name such as Europe/London."
        )
    return zone


def _tokenizer() -> Language:
    """spaCy's English tokenizer, splitting "order#123456" and "mail:me@example.com" as well."""
    nlp = spacy.blank("en")
    infixes = [*nlp.Defaults.infixes, r"[#:](?=[A-Za-z]{0,3}-?\d)"]
    nlp.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    prefixes = [*nlp.Defaults.prefixes, r"[A-Za-z-]+:(?=[\w.+-]+@)"]
    nlp.tokenizer.prefix_search = compile_prefix_regex(prefixes).search
    return nlp


def _matcher(nlp: Language, digits: int) -> Matcher:
    """The token patterns."""
    bare = {"TEXT": {"REGEX": r"^[%s]?\d{%d}$" % (HYPHENS, digits)}}
    half = {"TEXT": {"REGEX": r"^\d{%d}$" % (digits // 2)}}
    other_half = {"TEXT": {"REGEX": r"^\d{%d}$" % (digits - digits // 2)}}
    names = ["no", "no.", "nr", "nr.", "num", "number", "ref", "id", "reference"]
    name = {"LOWER": {"IN": names}, "OP": "?"}
    mark = {"TEXT": {"IN": ["#", ":", "."]}, "OP": "*"}
    gap = {"IS_SPACE": True, "OP": "?"}
    order = [{"LOWER": {"IN": ["order", "orders"]}}, name, {"LOWER": "is", "OP": "?"}, mark, gap]
    # A "#123456" after one of these words is the number of something else.
    other = {"LOWER": {"NOT_IN": ["ticket", "case", "invoice", "claim"]}}
    matcher = Matcher(nlp.vocab)
    matcher.add("order_number", [
        [*order, bare],
        [*order, half, other_half],
        [{"TEXT": "#", "IS_SENT_START": True}, bare],
        [other, {"TEXT": "#"}, bare],
    ])  # fmt: skip
    matcher.add("email", [[{"LIKE_EMAIL": True}]])
    return matcher
