"""Day and night where a customer's number is at home."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as number_zones

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


def hours(text: str) -> tuple[time, time] | None:
    """ "21:00-8:00" as two times; None for "". Raises ValueError for anything else."""
    if not text.strip():
        return None
    match = _HOURS.fullmatch(text.strip())
    if not match:
        raise ValueError(f"write quiet hours as 21:00-8:00, not {text!r}")
    first, second, third, fourth = (int(part) for part in match.groups())
    return time(first, second), time(third, fourth)


def zone_of(number: str, otherwise: str = "UTC") -> ZoneInfo:
    """The time zone of a number; of a country with several, the first that the number can be in."""
    try:
        zones = number_zones.time_zones_for_number(phonenumbers.parse(number))
        return ZoneInfo(next(it for it in zones if it != number_zones.UNKNOWN_TIMEZONE))
    except (phonenumbers.NumberParseException, StopIteration, KeyError, ValueError):
        return ZoneInfo(otherwise)


def quiet_until(number: str, quiet: tuple[time, time] | None, now: int) -> int | None:
    """When the quiet hours end that hold now where the number is at home, in milliseconds since the
    epoch; None when they do not hold."""
    if quiet is None:
        return None
    start, end = quiet
    local = datetime.fromtimestamp(now / 1000, zone_of(number))
    clock = local.time()
    inside = start <= clock < end if start < end else clock >= start or clock < end
    if not inside:
        return None
    ends = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    if ends <= local:
        ends += timedelta(days=1)
    return int(ends.timestamp() * 1000)


def country_prefix(number: str) -> str:
    """ "+44" of "+447700900123"; "" for what is no international number."""
    try:
        return f"+{phonenumbers.parse(number).country_code}"
    except phonenumbers.NumberParseException:
        return ""


def normal(text: str, country: str = "") -> str | None:
    """A number as a customer types it, in E.164; ``country`` (GB) is where one without a country code
    is at home. None when it is no number that can be."""
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
