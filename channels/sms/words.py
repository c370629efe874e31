"""STOP, START and HELP: the vendor's keywords in any case and spelling, and plain wordings of them.

The plain wordings are patterns, which a person can read and correct; `hearing` adds what sounds like
them.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class Wish(StrEnum):
    """What a customer asks of the number itself, and not of the bot."""

    STOP = "stop"
    START = "start"
    HELP = "help"


KEYWORDS = {
    Wish.STOP: ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
    Wish.START: ("start", "yes", "unstop"),
    Wish.HELP: ("help", "info"),
}
"""Twilio's own: it acts on them whatever we do."""

_MISSPELT = {
    Wish.STOP: (
        "stopp stoop sotp stpo stp st0p atop stopped stopping stopit stopnow stopplease pleasestop "
        "stopsms stoptext stoptexts stoptexting stoptxt stopmsg stopmessages textstop txtstop "
        "stopallmessages unsub unsubscibe unsuscribe unsubcribe unsubscribed unsubscribeme "
        "unsubscribing unsuscribed unscribe desubscribe optmeout optingout optedout opout iquit "
        "endtexts endmessages cancelall canceltexts cancelsms revokeconsent remove removeme"
    ),
    Wish.START: "restart resubscribe startagain unstopp subscribe optin optmein",
    Wish.HELP: "hlp helpme information infos",
}
_KNOWN = {word: wish for wish, words in KEYWORDS.items() for word in words} | {
    word: wish for wish, words in _MISSPELT.items() for word in words.split()
}

# What messages are called, and what sending them is.
_TEXTS = (
    r"(?:te?xt(?:s|ing|in)?|txts|sms(?:es|s)?|texts?[ -]?messages?|te?xt ?m[ea]?s?sa?ge?s|"
    r"m[ea]ss?a?ges?|msg?s|messaging|messagin|notifications?|alerts?|spam(?:ming)?|promos?|"
    r"promotions?|marketing|ads|adverts?|broadcasts?|pings?|reminders?)"
)
_WRITING = (
    r"(?:te?xt(?:ing|in)?|txtin?g?|messag(?:e|ing|in)|msg(?:ing)?|sms(?:ing)?|contact(?:ing)?|"
    r"contact(?:in)?|bother(?:ing|in)?|spam(?:ming|min)?|writ(?:e|ing)(?: to)?|ping(?:ing)?|"
    r"bug(?:ging)?|harass(?:ing)?|annoy(?:ing)?|disturb(?:ing)?|pester(?:ing)?|blow(?:ing)? up|"
    r"notify(?:ing)?|solicit(?:ing)?|reach(?:ing)? out to)"
)
_ME = r"(?:me|us|this (?:number|phone|mobile|cell|line)|my (?:number|phone|mobile|cell)|here)"
_LIST = r"(?:list|lists|database|data base|system|records?|contacts?|mailing list|distribution)"
_CEASE = (
    r"(?:stop|stp|stopp|quit|cease|discontinue|halt|end|desist|refrain|knock off|cut out|"
    r"cut it out)"
)
_NOT = r"(?:do ?n[o']?t|don ?t|dnt|do not|never|no longer|not)"
_MAIL = (
    r"(?:e-?mails?|mails?|news ?letters?|letters?|catalogues?|catalogs?|calls?|calling|"
    r"phone calls?)"
)
_OTHER_SUBJECT = r"(?:order|parcel|package|delivery|shipping|shipment|refund|return|code|password)"

_STOP = [
    rf"\b{_CEASE}\b(?:[ ,]+(?!by\b)\w+){{0,3}}? +{_WRITING}\b(?! (?:each|one another))",
    rf"\b{_CEASE}\b(?: +(?:sending|sendin|with|all|it with|these|those|the|your|ur|any|of|me|"
    rf"us|more|"
    rf"such|this|further|please|pls|unwanted|automated|daily|stupid|bloody|damn|fucking|constant|"
    rf"annoying)){{1,6}} +{_TEXTS}\b",
    rf"\b{_CEASE}\b +(?:receiving|getting|having)(?: +\w+){{0,3}} +{_TEXTS}\b",
    rf"\b{_CEASE}\b +{_TEXTS}\b",
    rf"\b(?:u|you|they|ya)\b +(?:\w+ +){{0,2}}{_WRITING} +(?:me|us)\b.*\b(?:{_CEASE})\b",
    rf"\b{_NOT}\b(?: +(?:ever|you|want|please|pls|wanna|wish|to|be|get|receive|any|u|dare|keep|"
    rf"need|like|care|for|getting|receiving|have|interested|in|consent|agree|"
    rf"authori[sz]e|allow|permit|appreciate)){{0,7}} +(?:{_WRITING}|contacted|texted|messaged|"
    rf"bothered|spammed|hassled) +(?:\w+ +){{0,2}}?(?:{_ME}|again|any ?more|ever|from you|"
    rf"by you)\b",
    rf"\b{_NOT}\b(?: +\w+){{0,4}} +(?:be|being|to be) +(?:texted|messaged|contacted|bothered|"
    rf"spammed|"
    rf"hassled|pinged)\b",
    rf"\b{_NOT}\b(?: +(?:want|wanna|wish|need|like|care for|to|get|receive|be|getting|receiving|"
    rf"interested|in|send|me|us|your|ur|these|those|this|any|more|of|further|such|sign up for|"
    rf"signed up for|ask for|asked for|agree to|consent to|anymore|other|you|u|please)){{1,8}}"
    rf" +{_TEXTS}\b",
    rf"\bno(?: +(?:more|further|new|longer|additional|other))+ +(?:\w+ +){{0,2}}?{_TEXTS}\b",
    rf"\b(?:enough|done|over it|finished|fed up|sick|tired)\b(?: +\w+){{0,3}} +(?:your|ur|"
    rf"the|these|"
    rf"with|of) +(?:\w+ +){{0,2}}?{_TEXTS}\b",
    rf"\b(?:take|get|remove|delete|drop|strike|erase|scrub|scratch|cross|pull|leave|kick|wipe)\b +"
    rf"(?:me|us|this (?:number|phone|mobile|cell)|my (?:number|phone(?: number)?|mobile|cell|name|"
    rf"contact)|the number|number)(?: +\w+){{0,4}}? +(?:off|from|of|out)(?: of)?(?: +(?:your|ur|"
    rf"the|this|that|any|all|ya|yr|text|texting|sms|contact|phone|marketing|mailing|calling|"
    rf"customer|whatever|these|those))* *(?:{_LIST}|{_TEXTS}|chat|group|thread|this|it|here)\b",
    r"\b(?:remove|delete|lose|forget|erase|drop|scrub|block|wipe|unlist|"
    r"deregister)\b +(?:my|this|the|"
    r"our) +(?:mobile |cell |phone )?(?:number|no\b|nr\b|digits|contact(?: number)?)",
    r"\b(?:take|get) +(?:me|my (?:number|name)|this number|us) +off\b",
    r"\bopt(?:ing|ed)?[ -]*(?:me |us )?(?:back )?out\b",
    r"\b(?:un-?su[bp]?s?c?ri?be?|unsub)\b",
    r"\bdesubscri\w+",
    r"\b(?:withdraw|revoke|rescind|retract|cancel|pull)\w*\b(?: +\w+){0,3} +(?:consent|permission|"
    r"authori[sz]ation|agreement|opt-?in)\b",
    r"\bno consent\b",
    r"\b(?:leave|let) +(?:me|us) +(?:alone|be|in peace)\b",
    r"\b(?:lose|forget|loose) +(?:my|this) +(?:number|digits)\b",
    r"\b(?:wrong|not my|not the right|incorrect) +(?:number|person|phone|guy|mobile)\b",
    rf"\b(?:turn|switch|shut|disable|deactivate|cancel|mute|end|block)\w*\b(?: +(?:off|down|"
    rf"out|all|my|"
    rf"the|these|your|ur|this|any|for me|me|those|future)){{0,4}} +(?:{_TEXTS})\b",
    r"\b(?:cancel|end)\w*\b(?: +\w+){0,2} +(?:text|sms|txt|message)s?(?: +\w+)? +"
    r"(?:subscription|service|alerts?|updates?|list)\b",
    r"\b(?:go away|get lost|piss off|f+u+c*k+ off|bugger off|buzz off|back off|do not disturb)\b",
    rf"\b{_NOT} +(?:\w+ +){{0,2}}?(?:use|text|message|msg|contact|sms|txt) +"
    rf"(?:me|us|(?:this|my) (?:number|phone|mobile|cell|line))\b",
    rf"\b{_NOT} +(?:text|txt|message|msg|sms)\b(?! +(?:the|it|them|him|her|my|\w+ +(?:a )?code))",
]
_START = [
    r"\b(?:start|resume|begin|restart|turn on|switch on|re-?enable|enable)\b(?: +(?:sending|the|my|"
    r"your|all|me|again|to))* +(?:text|txt|sms|message|messag|texting|messaging|messages)",
    r"\bopt(?:ing)? (?:me )?(?:back )?in\b",
    r"\b(?:re-?)?subscribe me\b",
    r"\bsign me (?:back )?up\b.*\b(?:texts?|sms|messages)\b",
    r"\byou (?:can|may) (?:text|message|sms) me(?: again)?$",
    r"\bi (?:want|would like|wanna) (?:to (?:get|receive) )?(?:your|the) (?:texts|messages|"
    r"sms)(?: again)?$",
]
_HELP = [
    r"^(?:who is this|who are you|who's this|whos this|what is this number|who am i texting|"
    r"what number is this|who dis)$",
]
_UNLESS = [
    # About mail, calls or an order, and not about texts.
    rf"\b{_CEASE}\b(?: +\w+){{0,4}} +{_MAIL}\b(?!.*\b(?:te?xts?|sms|messages)\b)",
    rf"\bunsu[bp]?\w*\b(?: +\w+){{0,5}} +{_MAIL}\b(?!.*\b(?:te?xts?|sms)\b)",
    r"\b(?:off|from|out of)(?: +\w+){0,3} +(?:e-?mail|mail|mailing|"
    r"newsletter)\b(?!.*\b(?:te?xts?|sms)\b)",
    r"\b(?:why|when|how come|has|have|haven'?t|hasn'?t|nobody|no ?one|did|"
    r"didn'?t)\b(?: +\w+){0,6} +"
    r"(?:text|txt|message|contact|write|writ\w+|notif\w+)\w*\b(?!.*\b(?:stop|again|off|"
    r"any ?more)\b)",
    r"\b(?:stop|quit)\b +by\b",
    rf"\b{_CEASE}\b(?: +\w+){{0,3}} +(?:{_OTHER_SUBJECT})s?\b(?!.*\b(?:te?xts?|texting|sms|"
    rf"messag\w+)\b)",
    r"\b(?:e-?mail|call|ring|phone)\b +me +(?:instead|rather)\b.*\b(?:code|link|label)\b",
    r"\bwrong number of\b",
    r"\b(?:gave|given|typed|entered|put|wrote)\b.*\bwrong\b",
    r"\bwrong\b.*\b(?:order|account|change|update|correct|delivery|label)\b",
    r"\b(?:remove|delete|take|drop)\b.*\b(?:order|basket|cart|item|jacket|boots?|tent)\b"
    r"(?!.*\b(?:te?xts?|list|sms)\b)",
    r"\b(?:order|tracking|card|account|model|serial|reference|house|invoice) number\b",
    r"\b(?:text|txt|message|sms) me (?:when|once|if|as soon|the moment|before|a |the )\b",
]
_COURTESIES = re.compile(
    r"\b(?:please|pls|plz|thanks?|thank you|thx|ty|now|ok|okay|hi|hello|hey|just|the|it|this|asap|"
    r"immediately|already|ffs|omg|lol|kindly|sorry|guys|sir|madam)\b"
)
_COMPILED = {
    Wish.STOP: [re.compile(it) for it in _STOP],
    Wish.START: [re.compile(it) for it in _START],
    Wish.HELP: [re.compile(it) for it in _HELP],
}
_NEVER = [re.compile(it) for it in _UNLESS]


def wish_in(text: str) -> Wish | None:
    """What a text asks of the number; None when it is for the bot."""
    words = simple(text)
    squeezed = re.sub(r"[^a-z0-9]", "", words)
    if squeezed in _KNOWN and len(words.split()) <= max(2, len(squeezed)):
        return _KNOWN[squeezed]
    bare = _COURTESIES.sub(" ", words)
    squeezed = re.sub(r"[^a-z0-9]", "", bare)
    if squeezed in _KNOWN and _KNOWN[squeezed] is not Wish.START:
        return _KNOWN[squeezed]
    if re.fullmatch(r"(?:stop)+", squeezed):
        return Wish.STOP
    for wish, patterns in _COMPILED.items():
        if any(pattern.search(words) for pattern in patterns):
            if wish is Wish.STOP and unless(words):
                return None
            return wish
    return None


def unless(words: str) -> bool:
    """Whether simple words are about something else that stops: an order, a mail, a call."""
    return any(pattern.search(words) for pattern in _NEVER)


def simple(text: str) -> str:
    """Small letters without accents, one space between words, straight apostrophes."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(it for it in folded if not unicodedata.combining(it))
    plain = plain.replace("’", "'").replace("‘", "'").replace("`", "'")
    return " ".join(re.sub(r"[^\w\s'-]", " ", plain).split())
