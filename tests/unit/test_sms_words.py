"""STOP, START and HELP are heard in any spelling and in plain words, and nothing else is."""

from __future__ import annotations

import pytest

from channels.sms.words import KEYWORDS, Wish, wish_in

STOP = """stop texting me
Stop. Texting. Me.
STOP!!!
st0p
stop please
plz stop txting me
do not text me again
dont text me anymore
I don’t want these texts
no more messages please
take me off your list
remove my number
unsubscribe me
leave me alone
I no longer wish to receive text messages from you
opt me out
wrong number
you have the wrong person, stop messaging this phone
quit sending me messages
lose my number
I withdraw my consent to be texted
how do I turn off these texts
can you please not message me on this number
stop sending me these stupid texts
enough with the texts already
I'm sick of your texts
never contact me again
cease and desist contacting me
please remove this number from your database
I did not sign up for these messages, stop
I want to stop receiving texts
cancel text alerts
u keep texting me stop it"""

FOR_THE_BOT = """cancel my order
can I stop by the store
I'll stop by tomorrow, are you open?
stop my order
the zip has stopped working
please stop charging my card
unsubscribe me from your newsletter emails
when does the sale end
how do I cancel an order
text me when it ships
why has nobody texted me
I have not received any message about my parcel
can you send me a text with the link
don't send it to my old address
I was sent the wrong number of socks
I gave you the wrong phone number on my order, can you change it
remove the jacket from my order
take the small one off my order
I don't want the boots any more
no more questions thanks
please remove my account
delete my data
leave it with my neighbour
stop sending me to a robot, I want a person
I never got an order confirmation message
how can I turn on notifications for my order?
I can't stop laughing
please don't contact my neighbour
I'm tired of your returns policy
help me choose a tent
information about washing
quit the loyalty programme
end my subscription
I do not have the message any more
stop the delivery please"""


@pytest.mark.parametrize("wish", Wish)
def test_keywords_in_any_spelling(wish):
    for word in KEYWORDS[wish]:
        for written in (
            word,
            word.upper(),
            word.title(),
            f" {word}. ",
            f"“{word}”",
            f"{word}!!",
            word + "\n",
        ):
            assert wish_in(written) is wish, written
        assert wish_in(" ".join(word)) is wish
        assert wish_in("".join(chr(ord(it) + 0xFEE0) for it in word)) is wish  # full width


@pytest.mark.parametrize("text", STOP.split("\n"))
def test_plain_words_that_stop(text):
    assert wish_in(text) is Wish.STOP


@pytest.mark.parametrize("text", FOR_THE_BOT.split("\n"))
def test_what_is_for_the_bot(text):
    assert wish_in(text) is None
