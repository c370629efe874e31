"""How customers write days: the patterns that `dates` looks for, the most particular first.

They read text in lower case with single spaces. A name that is also another word ("may", "march",
"sun", "sat") counts only where what stands beside it leaves no doubt.
"""

# ruff: noqa: E501 - a pattern reads better on one line
from __future__ import annotations

import re
from typing import List, Pattern, Text, Tuple

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
]  # fmt: skip
NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        1,
    )
}
NUMBERS.update({"a": 1, "an": 1, "couple": 2, "couple of": 2, "few": 3, "several": 3})
ORDINALS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
            "twentieth",
            "twenty-first",
            "twenty-second",
            "twenty-third",
            "twenty-fourth",
            "twenty-fifth",
            "twenty-sixth",
            "twenty-seventh",
            "twenty-eighth",
            "twenty-ninth",
            "thirtieth",
            "thirty-first",
        ],
        1,
    )
}
FEASTS = (
    r"christmas eve|christmas day|christmas|boxing day|new year'?s eve|new year'?s day|new year|"
    r"good friday|easter sunday|easter monday|easter|black friday|cyber monday|halloween|"
    r"bonfire night|guy fawkes|valentine'?s(?: day)?|st\.? patrick'?s day|mother'?s day|father'?s day"
)
# A cheap look first: most messages name no day at all.
HINT = re.compile(
    r"\d|day\b|week|month|year|\b(?:mon|tues?|wed|thurs?|fri|sat|sun|noon|night|evening|morning|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)\b|tomorrow|yesterday|tonight|today|"
    r"fortnight|january|february|march|april|june|july|august|september|october|november|december|"
    r"christmas|new year|easter|halloween|bonfire|guy fawkes|valentine|ago\b|\bday"
)
_DAY = r"(?:%s|mon|tue|tues|weds|thu|thur|thurs|fri)" % "|".join(DAYS)
# "sat", "sun" and "wed" are days only after a word that days follow and before none that they go with.
_PARTLY = r"(?:sat|sun|wed)"
_MONTH = r"(?:%s|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec)" % "|".join(MONTHS)
_SURE_MONTH = r"(?:%s|jan|feb|aug|sept|oct|nov|dec)" % "|".join(
    month for month in MONTHS if month not in ("may", "march")
)
_ORDINAL_WORD = "|".join(sorted(ORDINALS, key=len, reverse=True))
_ORDINAL = r"(?:\d{1,2} ?(?:st|nd|rd|th)|%s)" % _ORDINAL_WORD
_COUNT = (
    r"(?:\d{1,3}|an?(?: couple(?: of)?| few)?|couple(?: of)?|few|several|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
)
_UNIT = r"(?:days?|nights?|weeks?|wks?|fortnights?|months?|mths?|years?|yrs?|working days?)"
_RELATION = r"(?:(?P<relation>since|until|till|by|before|after|from|on|for|over|at)(?: the)? )?"
_PART = r"(?:,? (?:in the |at )?(?P<part>morning|lunchtime|noon|midday|afternoon|evening|night))?"
_YEAR = r"(?:,? ?(?P<year>(?:19|20)\d\d)(?!\d))?"
# After a "3 may" without "rd", what cannot be "they may fit".
_AFTER_MAY = (
    r"(?=$|[.,;!?)\n-]| ?(?:19|20)\d\d|(?: (?:at|and|but|or|in|for|from|to|by|until|because|which|so|"
    r"when|then|was|please|pls|if|i|we|my|the|as|with|it|with|last|this|next)\b))"
)
_END_OF_DAY = r"(?=$|[.,;!?)\n]| (?:and|but|or|at|in|for|so|because|morning|afternoon|evening|night|please|\d|i|we|it|when)\b)"


def _compiled(*pairs: Tuple[Text, Text]) -> List[Tuple[Text, Pattern[Text]]]:
    return [(kind, re.compile(pattern)) for kind, pattern in pairs]


PATTERNS = _compiled(
    # 2026-03-04, 2026/03/04, also with a time after it
    ("iso", r"(?<![\d/.-])(?P<year>(?:19|20)\d\d)[-/](?P<month>\d\d?)[-/](?P<day>\d\d?)(?=t\d|\b)(?![\d/-])"),
    # 03/04/2026, 3.4.26, 3-4-2026
    ("numeric", _RELATION + r"(?<![\d/.-])(?P<one>\d\d?)(?P<mark>[/.-])(?P<two>\d\d?)(?P=mark)(?P<year>(?:19|20)?\d\d)(?![\d/-])(?!\.\d)"),
    ("numeric", r"\b(?P<relation>on|since|until|by|before|after|from|dated) (?:the )?(?P<one>\d\d?)/(?P<two>\d\d?)(?![\d/])"),
    # from 3 to 5 March, 3-5 March, between the 3rd and the 5th of March
    ("days", r"\b(?:(?:from|between) )?(?:the )?(?P<one>\d\d?)(?:st|nd|rd|th)? ?(?:-|to|and|until) ?(?:the )?(?P<two>\d\d?)(?:st|nd|rd|th)?(?: of)? (?P<month>%s)\b" % _MONTH + _YEAR),
    # the 3rd of March, 3rd March 2026, the second of May
    ("day", _RELATION + r"(?:%s,? )?(?:the )?(?P<day>%s) (?:of )?(?P<month>%s)\b" % (_DAY, _ORDINAL, _MONTH) + _YEAR + _PART),
    # 3 March; "3 may" only where no verb follows
    ("day", _RELATION + r"(?:%s,? )?(?<![\d.,£€$/-])(?<!size )(?<!sizes )(?<!no )(?<!number )\b(?P<day>\d\d?) ?(?P<month>%s)\b(?!-)" % (_DAY, _SURE_MONTH) + _YEAR + _PART),
    ("day", _RELATION + r"(?:%s,? )?(?<![\d.,£€$/-])(?<!size )(?<!sizes )(?<!no )(?<!number )\b(?P<day>\d\d?) (?P<month>may|march|mar|apr|jun|jul|sep)\b" % _DAY + _AFTER_MAY + _YEAR + _PART),
    # March 3rd, May the fourth, March 3, 2026
    ("day", _RELATION + r"(?P<month>%s)\.? (?:the )?(?P<day>%s)\b(?! (?:item|items|time|pair|one|ones))" % (_MONTH, _ORDINAL) + _YEAR),
    ("day", _RELATION + r"(?P<month>%s)\.? (?P<day>[0-3]?\d)(?![\d.,/%%]*\d)\b(?! (?:items|pairs|jackets|boots|tents|days|weeks))" % _MONTH + _YEAR),
    # the 3rd of this month
    ("of_month", _RELATION + r"(?:the )?(?P<day>%s) of (?P<which>this|last|next|the) month\b" % _ORDINAL),
    # tuesday the 3rd
    ("day_of_month", r"\b(?:%s) (?:the )?(?P<day>\d{1,2} ?(?:st|nd|rd|th))\b" % _DAY),
    # on the 3rd; not "on the 3rd floor"
    ("day_of_month", r"\b(?P<relation>on|by|since|until|till|from|before|after|around|for|dated) (?:the )?(?P<day>\d{1,2}(?:st|nd|rd|th))\b" + _END_OF_DAY),
    # Feasts; not "the christmas jumper"
    ("feast", _RELATION + r"(?P<this>last |this |next )?\b(?P<feast>%s)\b(?! (?:present|gift|jumper|tree|card|sale|offer|deal|dinner|party|sock|voucher|discount|shopping|decoration|eggs?|egg|edition|hat|cracker|stocking|resolution|list|costume|model|collection|range|order)s?\b)" % FEASTS + _YEAR + _PART),
    # two weeks ago; a fortnight back
    ("ago", r"\b(?:(?:about|around|over|nearly|almost|roughly|some|like|more than|at least) )?(?P<count>%s|half an?|last) (?P<unit>%s|half) (?:ago|back|earlier)\b" % (_COUNT, _UNIT)),
    ("ago", r"\b(?P<count>one) (?P<unit>day|week) and a half ago\b"),
    # a week ago last Tuesday would be found by the weekday; a week on Friday, Tuesday week
    ("week_on", r"\ba week (?:on|from|next|this) (?P<day>%s)\b" % _DAY),
    ("week_on", r"\b(?:on )?(?P<day>%s) week\b" % _DAY),
    # in three days, in a fortnight's time, three days from now
    ("ahead", r"\bin (?P<count>%s|another \w+) (?P<unit>%s)(?:'?s? time)?\b(?! (?:or|of|since|old))" % (_COUNT, _UNIT)),
    ("ahead", r"\b(?P<count>%s) (?P<unit>%s) (?:from now|from today|time)\b" % (_COUNT, _UNIT)),
    ("fixed", _RELATION + r"\b(?P<word>the day before yesterday|the day after tomorrow|day before yesterday|day after tomorrow)\b"),
    ("fixed", _RELATION + r"\b(?P<word>yesterday|tomorrow|today|tonight|last night)\b(?! ?week)" + _PART),
    ("fixed", r"\b(?P<word>this) (?P<part>morning|afternoon|evening)\b"),
    # last week, next month, this weekend, at the weekend
    ("weekend", _RELATION + r"\b(?:(?P<which>last|this|next|this coming|coming) )?weekend\b(?! (?:rucksack|bag|pack|trip|tent))"),
    ("period", _RELATION + r"\b(?P<edge>(?:the )?(?:end|beginning|start|middle) of |early |late |earlier |later )?(?:the )?(?P<which>last|this|next|previous|the following) (?P<unit>week|month|year)\b(?! or)"),
    ("week_of", r"\b(?:the )?week (?:of|beginning|commencing|starting) (?:on )?(?:the )?(?P<day>\d\d?)(?:st|nd|rd|th)?(?: of)? (?P<month>%s)\b" % _MONTH + _YEAR),
    # last Tuesday, Friday afternoon, this coming Sunday
    ("weekday", _RELATION + r"\b(?:(?P<which>last|this|next|this coming|coming|this past|past) )?(?P<day>%s)\b(?!s\b|\w)" % _DAY + _PART),
    ("weekday", r"\b(?:(?P<relation>on|since|until|till|by|from|before|after) )?(?P<which>last |this |next )?(?<=\s)(?P<day>%s)\b" % _PARTLY + _END_OF_DAY + _PART),
    # in May, since March, last February, early June, October 2025
    ("month", r"\b(?P<edge>early|late|mid|(?:the )?(?:end|beginning|start|middle) of)[ -](?:in )?(?P<month>%s)\b" % _MONTH + _YEAR),
    ("month", r"\b(?P<month>%s),? (?P<year>(?:19|20)\d\d)\b" % _MONTH),
    ("month", r"\b(?P<relation>in|since|until|till|by|from|before|after|during|around) (?P<which>last |this |next )?(?P<month>%s)\b(?! (?:be|not|have|up|i|you|we)\b|')" % _MONTH),
    ("month", r"\b(?P<which>last|this|next) (?P<month>%s)\b" % _MONTH),
    ("month", r"(?<!-)\b(?P<month>january|february|april|july|september|october|november|december)\b(?!s)"),
    ("year", r"\b(?P<relation>in|since|from|before|during) (?P<year>20[0-4]\d)\b(?! ?(?:item|order|points|pounds|m\b))"),
)  # fmt: skip
