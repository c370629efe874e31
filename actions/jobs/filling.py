"""What a message fills in, and the question that asks for the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from actions.jobs.hearing import ALL, POSTCODE, Heard, by_place, chosen, named_in, plain_figures
from actions.jobs.replies import Number, items_of
from actions.jobs.rules import RETURNS, lines_for, not_returnable
from actions.jobs.state import Job
from bot.orders.contract import Line, Order
from bot.orders.policy import Policy

REMEDIES = ("A replacement", "A refund")
LONGEST = 1000
MOST_SHOWN = 6  # lines of an order among the choices
LONGEST_ADDRESS = 400
ENOUGH_WORDS = 6  # of a first message, to be the description of what is wrong

REASONS = {
    "faulty": r"fault|broken|defect|damag|rip|torn|tear|leak|crack|doesn['’]?t work|stopped working",
    "size": r"small|big|large|tight|loose|fit|size|(?<!no )long|short|wide|narrow",
    "not_as_expected": r"expect|picture|photo|colou?r|different|quality|look|feel|description",
    "changed_mind": r"chang|don['’]?t (want|need|like)|no longer|gift|found|cheaper|mistake|wrong one",
}
MORE_TROUBLE = (
    r"missing|wrong|came apart|split|hole|stain|scratch|dent|smash|crush|seam|zip|not in|never in|"
    r"came off|fell off|melted|wet|mould"
)
NOT = r"(?:not|never|no|without|isn['’]?t|wasn['’]?t|weren['’]?t|aren['’]?t|haven['’]?t|hasn['’]?t)"
UNUSED = (
    rf"\b(unused|unworn|{NOT}(?: been| even| ever| yet)* (used|worn)|"
    r"didn['’]?t (even )?(use|wear)|"
    r"still (has|have|got) (\w+ ){0,3}tags?|tags? (are |is )?(still )?on|brand new)\b"
)
USED = (
    r"\b(used (it|them)|worn (it|them)|wore|(have|['’]ve|was|were|been) (only )?(used|worn)|"
    r"(used|worn) (only )?(once|twice))\b"
)
TAGS_OFF = (
    r"\b((no|without( the| its| their)?) tags?|tags? (are |is |were )?(off|gone|removed|missing))\b"
)
SOUND = rf"\b{NOT}( \w+)? (faulty?|broken|damaged?|defects?|defective|torn|ripped)\b"
BUT = r"\b(?:except(?: for)?|but not|all but|apart from|other than|everything but)\b"
HOUSE = (
    r"\b(?:cottage|house|farm|court|barn|hall|lodge|mill|flat|apartment|building|floor|villa|manor|"
    r"rectory|care of|c/o)\b"
)
REFERENCE = r"\b[A-Za-z]{1,10}-?\d{4,12}\b"
FEWEST_DIGITS, MOST_DIGITS = 9, 15  # of a phone number
COUNTRIES = {
    "GB": r"uk|united kingdom|great britain|england|scotland|wales|northern ireland",
    "IE": r"(?<!northern )ireland|eire",
    "NO": r"norway", "CH": r"switzerland", "FR": r"france", "DE": r"germany", "ES": r"spain",
    "IT": r"italy", "NL": r"netherlands|holland", "BE": r"belgium", "AT": r"austria",
    "US": r"usa|united states|america", "CA": r"canada", "AU": r"australia",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What to ask: a reply, its fields, and what can be chosen from."""

    reply: str
    values: dict[str, Any] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


# What is known?


def met(job: Job, need: str) -> bool:
    """Whether a need is filled."""
    if need == "unused":
        return job.unused is not None or job.reason == "faulty"
    return bool(getattr(job, need))


def question(job: Job, need: str, order: Order | None, policy: Policy) -> Question:
    """How to ask for what is missing."""
    if need == "email":
        return Question("unsubscribe_email")
    assert order is not None
    number, items = Number(order.number), items_of(order, job.items)
    if need == "items":
        titles = [line.title for line in lines_for(job.kind, order)]
        first = ("The whole order",) if job.kind == "cancel_order" else ()
        both = ("All of them",) if job.kind != "cancel_order" and len(titles) > 1 else ()
        name = {"cancel_order": "cancel_which", **dict.fromkeys(RETURNS, "return_which")}
        reply = name.get(job.kind, "problem_which")
        return Question(reply, {"number": number}, (*first, *titles[:MOST_SHOWN], *both))
    if need == "reason":
        return Question("return_reason", {}, tuple(policy.return_reasons.values()))
    if need == "unused":
        return Question("return_unused", {}, ("Yes", "No"))
    if need == "variant":
        return Question("exchange_for", {"items": items})
    if need == "remedy":
        return Question("problem_remedy", {}, REMEDIES)
    if need == "details":
        return Question("problem_details", {"items": items})
    if need == "address":
        return Question("address_ask", {"number": number})
    return Question("contact_ask")


def dead_end(job: Job, need: str, order: Order | None) -> tuple[str, dict[str, Any]] | None:
    """Why it makes no sense to ask."""
    elsewhere = job.address.get("country")
    if (
        need == "confirm"
        and order is not None
        and elsewhere not in (None, "", order.address.country)
    ):
        return "address_abroad", {}
    if need == "items" and order is not None and not lines_for(job.kind, order):
        return not_returnable(order.lines[0])
    return None


# What was said?


def take_what_is_said(job: Job, heard: Heard) -> None:
    """What the first message says beyond the wish."""
    if len(heard.numbers) == 1:
        job.order = heard.numbers[0]
    if job.kind == "unsubscribe":
        job.email = heard.email
    if job.kind == "update_contact":
        _contact(job, heard)
    if job.kind in RETURNS:
        job.reason = _reason(heard.text) or job.reason
        _unused(job, heard)
    if job.kind in ("report_damage", "report_missing_item", "warranty_claim"):
        words = re.sub(r"(?i)\bNP\W?\d+\b", " ", heard.text).split()
        told = re.search(rf"\b({REASONS['faulty']}|{MORE_TROUBLE})", heard.text, re.I)
        if told and len(words) >= ENOUGH_WORDS and not heard.asks:
            job.details = heard.text[:LONGEST]
        _remedy(job, heard)


def take(job: Job, heard: Heard, order: Order | None, policy: Policy) -> bool:
    """Fill what was asked for; whether the message did."""
    if job.need in ("order", "proof"):
        return _order(job, heard)
    if job.need == "items":
        return order is not None and _items(job, heard, order)
    if job.need == "reason":
        return _return_reason(job, heard, policy)
    if job.need == "unused":
        return _unused(job, heard) or _yes_no(job, heard)
    if job.need == "variant":
        if heard.asks or len(heard.text) > 100 or heard.says_no:
            return False
        job.variant = " ".join(heard.text.split())
        return True
    if job.need == "remedy":
        return _remedy(job, heard)
    if job.need == "details":
        if heard.asks or not heard.plain:
            return False
        job.details = heard.text[:LONGEST]
        return True
    if job.need == "address":
        return order_address(job, heard.text)
    if job.need == "contact":
        return _contact(job, heard)
    if job.need == "email":
        job.email = heard.email
        return bool(heard.email)
    return False


def _order(job: Job, heard: Heard) -> bool:
    at = chosen(heard.text, job.offered)
    if len(heard.numbers) == 1:
        if job.order != heard.numbers[0]:
            job.forget_order()
        job.order = heard.numbers[0]
        return True
    if job.need == "order" and at is not None:
        job.order = job.offered[at]
        return True
    detail = bool(heard.email or heard.postcode)
    if job.need == "order":
        return len(heard.numbers) > 1 or (detail and heard.bare)
    return detail


def only_line(job: Job, lines: list[Line]) -> None:
    """An order of one thing needs no question which."""
    if len(lines) == 1:
        job.items = {lines[0].id: lines[0].left}


def named_lines(job: Job, heard: Heard, lines: list[Line]) -> None:
    """The lines that a message names by the way."""
    titles = [line.title for line in lines]
    kept, *rest = re.split(BUT, heard.text, maxsplit=1, flags=re.I)
    out = {at for at, _ in named_in(rest[0], titles)} if rest else set()
    if out and (ALL.search(heard.text) or not named_in(kept, titles)):
        job.items.update({line.id: line.left for at, line in enumerate(lines) if at not in out})
        return
    found = [it for it in named_in(kept if out else heard.text, titles) if it[0] not in out]
    for at, clause in found:
        words = clause if len(found) > 1 else heard.text
        job.items[lines[at].id] = _count(words, lines[at])


def _items(job: Job, heard: Heard, order: Order) -> bool:
    lines = lines_for(job.kind, order)
    first = ["The whole order"] if job.kind == "cancel_order" else []
    titles = [*first, *(line.title for line in lines)]
    exact = [title.casefold() for title in titles]
    named = Job(job.kind)
    named_lines(named, heard, lines)
    if heard.says_all and heard.text.strip().casefold() not in exact[len(first) :]:
        job.items = named.items or {line.id: line.left for line in lines}
        return True
    choices = [*titles[: MOST_SHOWN + len(first)], *([] if first else ["All of them"])]
    places = by_place(heard.text, choices)
    if any(choices[at] in ("All of them", *first) for at in places):
        job.items = {line.id: line.left for line in lines}
        return True
    chosen_lines = [lines[at - len(first)] for at in places]
    job.items = {line.id: line.left for line in chosen_lines} or named.items
    return bool(job.items)


def _count(text: str, line: Line) -> int:
    """How many of a line: what is said, within what there is; else all."""
    numbers = [int(it) for it in re.findall(r"(?<![\w.])(\d{1,2})(?![\w.])", text)]
    words = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
    numbers += [
        count for word, count in words.items() if re.search(rf"\b{word}( pairs?)? of\b", text, re.I)
    ]
    fitting = [it for it in numbers if 1 <= it < line.left]
    return fitting[0] if fitting and re.search(r"\bof\b", text, re.I) else line.left


def _reason(text: str) -> str:
    text = re.sub(SOUND, " ", text, flags=re.I)
    for reason, pattern in REASONS.items():
        if re.search(rf"\b({pattern})", text, re.I):
            return reason
    return ""


def _return_reason(job: Job, heard: Heard, policy: Policy) -> bool:
    titles = list(policy.return_reasons.values())
    if heard.asks:
        return False
    exact = heard.text.strip().casefold() in [it.casefold() for it in titles]
    at = chosen(heard.text, titles)
    told = "" if exact or by_place(heard.text, titles) else _reason(heard.text)
    found = told or (list(policy.return_reasons)[at] if at is not None else "")
    cross = heard.intent in ("complaint", "not_helpful", "request_person")
    if not found and not cross and len(heard.plain.split()) >= 4:
        found = "not_as_expected"
    if found and found in policy.return_reasons:
        job.reason, job.details = found, heard.text[:LONGEST]
        return True
    return False


def _unused(job: Job, heard: Heard) -> bool:
    if re.search(TAGS_OFF, heard.text, re.I):
        job.unused = False
    elif re.search(UNUSED, heard.text, re.I):
        job.unused = True
    elif re.search(USED, heard.text, re.I):
        job.unused = False
    else:
        return False
    return True


def _yes_no(job: Job, heard: Heard) -> bool:
    if heard.says_yes or heard.says_no:
        job.unused = heard.says_yes
        return True
    return False


def _remedy(job: Job, heard: Heard) -> bool:
    refused = r"\b(don['’]?t want|do not want|not|no|rather than|instead of) (an? |my )?"
    text = re.sub(rf"{refused}(refund|replacement|money back)", " ", heard.text, flags=re.I)
    if all(re.search(it, text, re.I) for it in (r"\brefund|money back", r"\breplace|new one")):
        return False
    at = chosen(text, list(REMEDIES))
    if at is None and re.search(r"\b(money back|refund)", text, re.I):
        at = 1
    if at is None and re.search(r"\b(replac|new one|another one|send (it|them) again)", text, re.I):
        at = 0
    if at is None:
        return False
    job.remedy = REMEDIES[at]
    return True


def _contact(job: Job, heard: Heard) -> bool:
    """An e-mail address, a phone number, or both."""
    text = re.sub(REFERENCE, " ", plain_figures(heard.text))
    found = {"email": heard.email} if heard.email else {}
    for phone in re.finditer(r"(?<!\w)\+?\d[\d\s().-]{7,18}\d(?!\w)", text):
        digits = re.sub(r"[^\d+]", "", phone.group())
        if FEWEST_DIGITS <= len(digits.strip("+")) <= MOST_DIGITS:
            found.setdefault("phone", digits)
    job.contact = found or job.contact
    return bool(found)


def order_address(job: Job, text: str) -> bool:
    """A street with a number, a place and a postcode, in a line or in several; what is not complete
    is no address."""
    if len(text) > LONGEST_ADDRESS:
        return False
    text = re.sub(REFERENCE, " ", re.sub(r"[^\S\n]|[\x00-\x08\x0e-\x1f\x7f]", " ", text))
    if not POSTCODE.search(text):
        return False
    words = re.sub(
        r"(?i)^.*?\b(?:address is|deliver(?:ed)? (?:it )?to|send it to|to:?)\s+", "", text, count=1
    )
    if not POSTCODE.search(words):
        words = text
    country = next(
        (code for code, name in COUNTRIES.items() if re.search(rf"\b({name})\W*$", words, re.I)), ""
    )
    match = POSTCODE.search(words)
    assert match is not None
    before = words[: match.start()]
    pieces = [it.strip(" .") for it in re.split(r"[,\n;]+", before) if it.strip(" .")]
    if len(pieces) == 1:  # "5 High Street Leeds": the last word is the place
        head, _, tail = pieces[0].rpartition(" ")
        pieces = [head, tail] if head else pieces
    if len(pieces) < 2 or not any(re.search(r"\d", it) for it in pieces[:-1]):
        return False
    street = list(pieces[:-1])
    person = len(street) > 1 and not re.search(rf"\d|{HOUSE}", street[0], re.I)
    name = street.pop(0) if person else ""
    if not street:
        return False
    job.address = {
        "name": name[:100],
        "street": "\n".join(street)[:200],
        "city": pieces[-1][:80],
        "postcode": " ".join(match.groups()).upper(),
        "country": country,
    }
    return True
