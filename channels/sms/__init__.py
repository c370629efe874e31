"""Customers who text us, through Twilio. Set-up: README.md.

signature     is this request Twilio's?
words         STOP, START, HELP, in any spelling and in plain words
hearing       and what sounds like that; fit learns it from stop_training.yml
text          a reply as a text message: plain, in GSM-7, counted in segments, split where it may be
quiet         by day or by night where the customer is
vendor        Twilio's REST API
channel       sends what is queued, within the budget, and finds out what became of it
webhooks      what Twilio calls: messages, delivery states, voice calls
checks        is the account set up so that it works?
"""

from __future__ import annotations

import structlog

from bot.links import short_link
from bot.settings import Settings
from bot.store.database import Database
from channels.contract import CannotText, DeliveryFailed
from channels.sms import webhooks, wording
from channels.sms.channel import CHANNEL, Budget, SmsChannel
from channels.sms.hearing import Hearing
from channels.sms.quiet import hours, normal
from channels.sms.vendor import Twilio

__all__ = ["CHANNEL", "Hearing", "Texts", "make_channel", "make_vendor", "webhooks"]

log = structlog.get_logger("sms")


def make_vendor(settings: Settings) -> Twilio:
    """The vendor, as the settings say."""
    return Twilio(settings.twilio_account_sid, settings.twilio_tokens, url=settings.twilio_api_url)


def make_channel(database: Database, settings: Settings) -> SmsChannel:
    """The channel, as the settings say."""
    countries = (part.strip() for part in settings.sms_countries.split(","))
    return SmsChannel(
        database,
        make_vendor(settings),
        sender=settings.sms_from,
        callback=f"{settings.origin}/channels/sms/status" if settings.public_url else "",
        short=(lambda url: short_link(settings.origin, url)) if settings.public_url else _none,
        budget=Budget(
            settings.sms_daily_number,
            settings.sms_daily_country,
            frozenset(filter(None, countries)),
        ),
        quiet=hours(settings.sms_quiet),
    )


class Texts:
    """Going on by text what was begun in the widget."""

    channel = CHANNEL

    def __init__(self, channel: SmsChannel, settings: Settings):
        self._channel = channel
        self._country = settings.phone_country
        self._business = settings.business_name
        self.sender = settings.sms_from
        self.continues = wording.CONTINUES.format(business=settings.business_name)

    def normal(self, number: str) -> str | None:
        return normal(number, self._country)

    def send_code(self, number: str, code: str) -> None:
        try:
            self._channel.send_code(number, wording.CODE.format(code=code, business=self._business))
        except DeliveryFailed as error:
            log.warning("sms.no_code", reason=str(error))
            raise CannotText(wording.CANNOT_TEXT) from error


def _none(url: str) -> str:
    """Without a public address no link leads anywhere."""
    return ""
