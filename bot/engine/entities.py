"""SupportEntities: order numbers, e-mail addresses, phone numbers and amounts of money.

spaCy's English tokenizer and token patterns only; no model is downloaded. Each finding is
normalised, so that an action can look it up as it stands.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Optional, Text, Tuple

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc
from spacy.util import compile_infix_regex, compile_prefix_regex

HYPHENS = "\u2010\u2011\u2013-"  # people paste the typographic ones; "-" last, for [...]
CURRENCIES = {
    "£": "GBP", "gbp": "GBP", "quid": "GBP", "pound": "GBP", "pounds": "GBP",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD",
}  # fmt: skip
SIGNS = ["£", "€", "$", "gbp", "eur", "usd"]  # what stands before the number
NUMBER = r"^\d{1,3}(,\d{3})+(\.\d{1,2})?$|^\d+([.,]\d{1,2})?$"
PHONE_PART = rf"^[+\d().{HYPHENS}]+$"  # no "/": it would make phone numbers of dates
PHONE_SPAN = re.compile(rf"\+?\(?\+?\d[\d\s().{HYPHENS}]*\d")
DATE = re.compile(r"\b\d{1,2}[-.]\d{1,2}[-.](19|20)\d\d\b")
MIN_PHONE, MAX_PHONE = 9, 15  # digits; fifteen is E.164's most

Found = Tuple[Text, int, int, Text, Dict[Text, Any]]  # entity, start, end, value, extra keys


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class SupportEntities(GraphComponent, EntityExtractorMixin):
    """Appends `order_number`, `email`, `phone` and `amount` to each message's entities.

    order_number "NP-123456" · email in lower case · phone "+" and digits · amount "49.95", with
    its currency, where known, in `additional_info`.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {
            # Letters that every order number begins with, and its count of digits.
            "order_prefix": "NP",
            "order_digits": 6,
            # Calling code of phone numbers written the national way, with a leading 0.
            "calling_code": "44",
        }

    @staticmethod
    def required_packages() -> List[Text]:
        return ["spacy"]

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SupportEntities:
        return cls(config)

    def __init__(self, config: Dict[Text, Any]) -> None:
        self._config = config
        self._nlp = _tokenizer()
        self._matcher = _matcher(self._nlp, config["order_prefix"], config["order_digits"])
        self._digits = re.compile(r"\d{%d}" % config["order_digits"])

    def process(self, messages: List[Message]) -> List[Message]:
        """Append what each message holds, in place, in the order of the text."""
        for message in messages:
            text = message.get(TEXT)
            if text:
                found = self.add_extractor_name(self._entities(text))
                message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages

    def _entities(self, text: Text) -> List[Dict[Text, Any]]:
        doc = self._nlp(text)
        found = list(self._matched(doc))
        taken = [(start, end) for _, start, end, _, _ in found]
        found += self._phones(doc, taken)
        return [
            {"entity": entity, "start": start, "end": end, "value": value, **extra}
            for entity, start, end, value, extra in sorted(found, key=lambda one: one[1])
        ]

    def _matched(self, doc: Doc) -> Iterator[Found]:
        """What the token patterns find, the longest match where several overlap."""
        spans = spacy.util.filter_spans(self._matcher(doc, as_spans=True))
        for span in spans:
            entity, start = span.label_, span.start_char
            if entity == "order_number":
                # "order no. 123456": the words said what the number is, the number is the entity
                inner = re.search(
                    r"(#\s*)?(%s\W*)?\d+$" % self._config["order_prefix"], span.text, re.IGNORECASE
                )
                start += inner.start()
                digits = self._digits.search(span.text).group()
                yield entity, start, span.end_char, f"{self._config['order_prefix']}-{digits}", {}
            elif entity == "email":
                yield entity, start, span.end_char, span.text.lower(), {}
            elif entity == "amount":
                value, extra = _money([token.lower_ for token in span])
                yield entity, start, span.end_char, value, extra

    def _phones(self, doc: Doc, taken: List[Tuple[int, int]]) -> Iterator[Found]:
        """Runs of digits, spaces and phone punctuation that read as a phone number."""
        for run in _runs(doc, taken):
            for match in PHONE_SPAN.finditer(doc.text, *run):
                value = _phone(match.group(), self._config["calling_code"])
                if value:
                    yield "phone", match.start(), match.end(), value, {}


def _tokenizer() -> Language:
    """spaCy's English tokenizer, splitting "order#123456" and "mail:me@example.com" as well."""
    nlp = spacy.blank("en")
    infixes = [*nlp.Defaults.infixes, r"[#:](?=[A-Za-z]{0,3}-?\d)"]
    nlp.tokenizer.infix_finditer = compile_infix_regex(infixes).finditer
    prefixes = [*nlp.Defaults.prefixes, r"[A-Za-z-]+:(?=[\w.+-]+@)"]
    nlp.tokenizer.prefix_search = compile_prefix_regex(prefixes).search
    return nlp


def _matcher(nlp: Language, prefix: Text, digits: int) -> Matcher:
    """The token patterns of everything but phone numbers."""
    whole = r"(?i)^%s[%s]?\d{%d}$" % (re.escape(prefix), HYPHENS, digits)
    bare = {"TEXT": {"REGEX": r"^[%s]?\d{%d}$" % (HYPHENS, digits)}}
    hyphen = {"TEXT": {"REGEX": r"^[%s]$" % HYPHENS}, "OP": "?"}
    name = {
        "LOWER": {"IN": ["no", "no.", "nr", "nr.", "num", "number", "ref", "id", "reference"]},
        "OP": "?",
    }
    mark = {"TEXT": {"IN": ["#", ":", "."]}, "OP": "*"}
    gap = {"IS_SPACE": True, "OP": "?"}
    number = {"TEXT": {"REGEX": NUMBER}}
    sign = {"LOWER": {"IN": SIGNS}}
    # A "#123456" after one of these words is the number of something else.
    other = {"LOWER": {"NOT_IN": ["ticket", "case", "invoice", "claim"]}}
    matcher = Matcher(nlp.vocab)
    matcher.add("order_number", [
        [{"TEXT": {"REGEX": whole}}],
        [{"LOWER": prefix.lower()}, hyphen, bare],
        [{"LOWER": {"IN": ["order", "orders"]}}, name, {"LOWER": "is", "OP": "?"}, mark, gap, bare],
        [{"TEXT": "#", "IS_SENT_START": True}, bare],
        [other, {"TEXT": "#"}, bare],
    ])  # fmt: skip
    matcher.add("email", [[{"LIKE_EMAIL": True}]])
    matcher.add("amount", [
        [sign, number],
        [number, {"LOWER": {"IN": [word for word in CURRENCIES if word != "$"]}}],
    ])  # fmt: skip
    return matcher


def _money(tokens: List[Text]) -> Tuple[Text, Dict[Text, Any]]:
    """("£", "1,299.5") to "1299.50" and its currency. A comma before two digits is a point."""
    currency = next(CURRENCIES[token] for token in tokens if token in CURRENCIES)
    number = next(token for token in tokens if token[0].isdigit())
    if re.search(r",\d{1,2}$", number):
        number = number.replace(",", ".")
    return f"{float(number.replace(',', '')):.2f}", {"additional_info": {"currency": currency}}


def _runs(doc: Doc, taken: List[Tuple[int, int]]) -> Iterator[Tuple[int, int]]:
    """Start and end of each run of tokens that may belong to a phone number."""
    start: Optional[int] = None
    end = 0
    for token in doc:
        here = token.idx
        used = any(first <= here < last for first, last in taken)
        if not used and re.match(PHONE_PART, token.text):
            start, end = (here if start is None else start), here + len(token)
        elif start is not None and not token.is_space:
            yield start, end
            start = None
    if start is not None:
        yield start, end


def _phone(written: Text, calling_code: Text) -> Optional[Text]:
    """The number as "+" and digits, or None: neither international nor national with a 0."""
    plus = written.lstrip("(").startswith("+")
    international = plus or written.startswith("00")
    if international:
        written = re.sub(r"\(0\)", "", written)  # +44 (0)20 ...
    digits = re.sub(r"\D", "", written)
    if not MIN_PHONE <= len(digits) <= MAX_PHONE or DATE.search(written):
        return None
    if international:
        return f"+{digits if plus else digits[2:]}"
    return f"+{calling_code}{digits[1:]}" if digits.startswith("0") else None
