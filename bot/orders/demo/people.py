"""Who buys at the demo shop: invented people at plausible addresses.

E-mail addresses end in ``.example`` (RFC 2606), phone numbers are those that Ofcom keeps for drama
(07700 900000 to 900999): nobody has them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.orders.contract import Address

ACCOUNTS = 1000


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_GIVEN = _listed(
    "Aisha|Alfie|Alice|Amelia|Andrew|Anita|Anwen|Arthur|Beth|Bronwen|Callum|Carys|"
    "Catriona|Charlotte|Chloe|Daniel|David|Deepa|Dylan|Eilidh|Eleanor|Ellie|Emily|"
    "Ewan|Farah|Fiona|Florence|Freya|George|Grace|Gareth|Hamish|Hannah|Harriet|"
    "Harry|Hassan|Henry|Imogen|Isla|Jack|Jacob|James|Jasmine|Joanna|Joseph|Kiran|"
    "Laura|Leah|Leo|Lewis|Lily|Lucy|Malcolm|Maisie|Martha|Matilda|Megan|Mohammed|"
    "Morag|Nadia|Nathan|Nia|Niamh|Noah|Oliver|Olivia|Oscar|Owen|Patrick|Poppy|"
    "Priya|Rachel|Rhys|Robert|Rory|Rosie|Ruby|Samuel|Sarah|Shona|Simon|Sophie|"
    "Stella|Tariq|Theo|Thomas|Tom|Victoria|William|Yasmin|Zara"
)
_FAMILY = _listed(
    "Ahmed|Allen|Armitage|Ashworth|Bailey|Baker|Barker|Begum|Bell|Bennett|Booth|"
    "Bradley|Brook|Buchanan|Burton|Butler|Campbell|Carr|Chapman|Clarke|Clegg|Cooper|"
    "Crawford|Davies|Dawson|Dixon|Douglas|Dyer|Edwards|Ellis|Evans|Farrell|Fletcher|"
    "Fraser|Gibson|Graham|Grant|Griffiths|Hall|Hargreaves|Harper|Hartley|Hill|Holt|"
    "Hughes|Hussain|Jenkins|Johnston|Jones|Kaur|Kelly|Khan|Knight|Lewis|Lloyd|"
    "MacDonald|Marsh|Marshall|Mason|Mistry|Mitchell|Morgan|Morris|Murphy|Nuttall|"
    "Osborne|Parry|Patel|Pearce|Pickering|Powell|Preston|Price|Rahman|Reid|Rhodes|"
    "Roberts|Robson|Ross|Schofield|Shah|Shaw|Singh|Spencer|Stewart|Sutcliffe|Taylor|"
    "Thornton|Turner|Wainwright|Walker|Walsh|Watson|Whitaker|Whitehead|Williams|"
    "Wilson|Wood|Wright|Yates"
)
_STREETS = _listed(
    "Abbey Road|Albert Street|Ash Grove|Bank Street|Beech Avenue|Bridge Street|"
    "Castle Street|Chapel Lane|Church Lane|Cliff Road|Clarence Terrace|Dale View|"
    "Elm Close|Farm Lane|Forge Row|Green Lane|Grove Street|Hawthorn Drive|High Street|"
    "Hill Rise|Holly Bank|Kings Road|Lime Avenue|Manor Road|Market Place|Meadow Way|"
    "Mill Lane|Moor View|New Street|North Parade|Oak Drive|Orchard Close|Park Road|"
    "Priory Street|Queen Street|River View|Rowan Court|School Lane|South Street|"
    "Springfield Road|Station Road|The Crescent|Tower Street|Union Street|Vicarage Lane|"
    "Victoria Road|Wellington Street|West End|Windsor Road|Woodland Avenue"
)
# Town, area and districts of its postcodes.
_TOWNS = _listed(
    "Leeds LS 1-29|Bradford BD 1-22|Sheffield S 1-14|York YO 1-32|Manchester M 1-34|"
    "Liverpool L 1-27|Newcastle_upon_Tyne NE 1-16|Durham DH 1-7|Lancaster LA 1-5|"
    "Kendal LA 8-9|Keswick CA 12-12|Carlisle CA 1-6|Harrogate HG 1-5|Huddersfield HD 1-9|"
    "Hull HU 1-17|Nottingham NG 1-16|Derby DE 1-24|Birmingham B 1-38|Coventry CV 1-7|"
    "Leicester LE 1-9|Norwich NR 1-16|Cambridge CB 1-5|Oxford OX 1-4|Bristol BS 1-16|"
    "Bath BA 1-3|Exeter EX 1-6|Plymouth PL 1-9|Brighton BN 1-3|Southampton SO 14-19|"
    "Reading RG 1-8|Guildford GU 1-5|Tunbridge_Wells TN 1-4|London SE 1-28|London N 1-22|"
    "London E 1-18|London SW 2-20|Cardiff CF 3-24|Swansea SA 1-7|Bangor LL 57-57|Betws-y-"
    "Coed LL 24-24|Edinburgh EH 1-17|Glasgow G 11-52|Stirling FK 7-9|Perth PH 1-2|"
    "Fort_William PH 33-33|Aviemore PH 22-22|Inverness IV 1-3|Aberdeen AB 10-25|"
    "Dundee DD 1-5|Belfast BT 1-17"
)
# Country, town, how a postcode looks (# a digit, @ a letter), streets.
_ABROAD = (
    ("IE", "Dublin", "D0# @#@#", "Grafton Court|Harcourt Terrace|Strand Road"),
    ("IE", "Cork", "T12 @#@#", "Patrick's Hill|Western Road|Sunday's Well Road"),
    ("IE", "Galway", "H91 @#@#", "Shop Lane|Salthill Road|Canal Road"),
    ("DE", "Freiburg", "791##", "Talstraße|Schillerstraße|Waldweg"),
    ("DE", "Berlin", "10###", "Lindenstraße|Gartenstraße|Uferweg"),
    ("NL", "Utrecht", "35## @@", "Kerkstraat|Molenweg|Singel"),
    ("FR", "Grenoble", "38000", "Rue des Alpes|Rue Neuve|Avenue du Lac"),
    ("AT", "Innsbruck", "6020", "Bergstraße|Am Rain|Innweg"),
    ("BE", "Gent", "9000", "Kouter|Veldweg|Nieuwstraat"),
    ("IT", "Trento", "38122", "Via Nuova|Via del Monte|Via Roma"),
    ("ES", "Bilbao", "480##", "Calle Mayor|Calle del Puerto|Calle Nueva"),
    ("SE", "Uppsala", "753 ##", "Storgatan|Skogsvägen|Kyrkogatan"),
    ("DK", "Aarhus", "8000", "Nygade|Skovvej|Havnegade"),
    ("NO", "Bergen", "50##", "Fjellveien|Strandgaten|Skogveien"),
    ("NO", "Tromsø", "90##", "Storgata|Kirkegata|Havnegata"),
    ("CH", "Bern", "30##", "Aareweg|Marktgasse|Bergweg"),
    ("CH", "Zürich", "80##", "Seeweg|Bahnhofgasse|Waldstrasse"),
)
_MAIL = ("mail.example", "post.example", "inbox.example", "letters.example")
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True)
class Person:
    """Somebody who buys. ``id`` is "" for a guest."""

    id: str
    email: str
    phone: str
    address: Address


def phone(last: int) -> str:
    """One of the thousand numbers for drama, as E.164."""
    return f"+447700900{last % 1000:03d}"


def person(rng: random.Random, ident: str, nth: int) -> Person:
    """Somebody new; ``nth`` keeps e-mail addresses apart, and sets the phone number."""
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    email = f"{given}.{family}{nth}@{rng.choice(_MAIL)}".lower()
    return Person(ident, email, phone(nth), address(rng, f"{given} {family}"))


def address(rng: random.Random, name: str) -> Address:
    """Somewhere: in nine of ten cases in the UK."""
    if rng.random() < 0.88:
        town, area, districts = rng.choice(_TOWNS).split()
        first, last = map(int, districts.split("-"))
        postcode = f"{area}{rng.randint(first, last)} {rng.randint(1, 9)}"
        postcode += rng.choice(_LETTERS) + rng.choice(_LETTERS)
        street = f"{rng.randint(1, 140)} {rng.choice(_STREETS)}"
        if rng.random() < 0.15:
            street = f"Flat {rng.randint(1, 20)}\n{street}"
        return Address(name, street, town.replace("_", " "), postcode, "GB")
    country, town, form, streets = rng.choice(_ABROAD)
    postcode = "".join(
        str(rng.randint(0, 9)) if it == "#" else rng.choice(_LETTERS) if it == "@" else it
        for it in form
    )
    street, house = rng.choice(streets.split("|")), rng.randint(1, 90)
    first = country in ("IE", "FR")
    return Address(
        name, f"{house} {street}" if first else f"{street} {house}", town, postcode, country
    )
