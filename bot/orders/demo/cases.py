"""Orders of the demo shop by what they show, for those who try it, and for tests.

``CASES["delivered_10_days"].number`` is the same in every demo shop, whatever its seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.orders.contract import Address, RefundState, ReturnState, ShipmentState
from bot.orders.demo.goods import ENGRAVED
from bot.orders.demo.people import Person, phone
from bot.orders.demo.rules import COLLECT
from bot.orders.demo.stories import Back, Good, Parcel, Story

S, R, F = ShipmentState, ReturnState, RefundState


@dataclass(frozen=True)
class Case:
    """One order that shows something.

    Attributes:
        number, email, postcode: what a customer would say.
        shows: what is to be seen in it.
        customer_id: the account it belongs to; "" for a guest.
        also: numbers of the same customer's other orders.
        code: of a gift card, where the case is one.
    """

    number: str
    email: str
    postcode: str
    shows: str
    customer_id: str = ""
    also: tuple[str, ...] = ()
    code: str = ""
    buyer: Person | None = field(default=None, repr=False)
    goods: tuple[Good, ...] = field(default=(), repr=False)
    story: Story | None = field(default=None, repr=False)
    paid: str = field(default="Visa ending 4242", repr=False)
    points: int | None = field(default=None, repr=False)
    marketing: bool = field(default=False, repr=False)


def _gone(days: int) -> Story:
    """Delivered so many days ago, in time."""
    return Story(-days - 3, -days + 1, (Parcel(S.DELIVERED, -days - 2, -days, -days),))


def _back(days: int, back: Back) -> Story:
    story = _gone(days)
    return Story(story.placed, story.promised, story.parcels, back=back)


_JACKET = Good("Stormhaven Waterproof Jacket", "M, Slate")
_FLEECE = Good("Tarnside Fleece", "L, Navy")
_BOOTS = Good("Cairnstone GTX Boots", "UK 9, Brown")
_TENT = Good("Summit 2 Tent", "Green")
_SOCKS = Good("Mosswool Socks", "UK 9–11", 2)
_BAG = Good("Nightfell 500 Sleeping Bag", "Regular, Blue")
_PREORDER = Story(-12, 25)
_RECEIVED = Story(-1, 4)

# Name, who, where (street, town, postcode, country), what, how it went, what it shows.
_ROWS: tuple[tuple[str, str, str, tuple[Good, ...], Story, str], ...] = (
    ("received", "Amelia Hartley", "12 Moor View|Leeds|LS6 2AB|GB", (_FLEECE,), _RECEIVED,
     "Waiting to be packed: may be cancelled, its address may be changed"),
    ("received_two_lines", "Rhys Morgan", "4 Chapel Lane|Cardiff|CF11 9LJ|GB", (_JACKET, _SOCKS),
     _RECEIVED, "Waiting to be packed, two lines, one of them twice: may be cancelled in part"),
    ("received_guest", "Harriet Nuttall", "31 Mill Lane|York|YO10 4DR|GB",
     (Good("Peatglow 400 Headtorch", "Red"),), _RECEIVED, "Waiting to be packed, ordered as a guest"),
    ("preorder", "Callum Fraser", "8 Castle Street|Stirling|FK8 1EL|GB", (_TENT,), _PREORDER,
     "A pre-order of twelve days ago that is promised in 25 days"),
    ("packed", "Priya Patel", "77 Park Road|Leicester|LE3 5HR|GB", (_BOOTS,),
     Story(-1, 3, (Parcel(S.PREPARING, None, 3),)), "Packed: neither cancelled nor changed any more"),
    ("dispatched_on_time", "Owen Griffiths", "5 Station Road|Bangor|LL57 1RS|GB", (_JACKET,),
     Story(-2, 2, (Parcel(S.IN_TRANSIT, -1, 2),)), "On its way, expected in two days"),
    ("dispatched_late", "Eleanor Whitaker", "19 Queen Street|Lancaster|LA1 1RX|GB", (_FLEECE,),
     Story(-9, -3, (Parcel(S.IN_TRANSIT, -8, -3),)), "On its way, promised for three days ago"),
    ("split", "Tariq Hussain", "23 Grove Street|Bradford|BD7 1QJ|GB", (_TENT, _BAG),
     Story(-6, 2, (Parcel(S.DELIVERED, -5, -2, -2, (0,)), Parcel(S.IN_TRANSIT, -2, 1, None, (1,)))),
     "Two parcels: the tent was delivered two days ago, the sleeping bag is on its way"),
    ("out_for_delivery", "Isla Buchanan", "2 High Street|Perth|PH1 5TB|GB", (_BOOTS,),
     Story(-3, 1, (Parcel(S.OUT_FOR_DELIVERY, -2, 0),)), "With the driver today"),
    ("ready_to_collect", "Megan Ellis", "60 Bridge Street|Leeds|LS11 5TZ|GB", (_FLEECE,),
     Story(-4, -1, (Parcel(S.READY_TO_COLLECT, -2, -1),), delivery=COLLECT),
     "Click and collect, waiting in the shop in Leeds"),
    ("failed_delivery", "Daniel Osborne", "Flat 3\n9 Union Street|Bristol|BS1 2DY|GB", (_BOOTS,),
     Story(-5, 0, (Parcel(S.FAILED, -4, 1),)), "The driver met nobody yesterday"),
    ("lost", "Florence Wainwright", "14 Orchard Close|Norwich|NR2 3LT|GB", (_BAG,),
     Story(-26, -20, (Parcel(S.LOST, -25, -20),)), "The trace did not find the parcel"),
    ("delivered_yesterday", "Zara Ahmed", "41 Albert Street|Manchester|M14 5TP|GB", (_JACKET,),
     _gone(1), "Delivered yesterday"),
    ("delivered_10_days", "Thomas Clegg", "3 Dale View|Huddersfield|HD1 4RG|GB", (_JACKET,),
     _gone(10), "Delivered ten days ago: may be returned, exchanged, reported as damaged"),
    ("delivered_two_lines_10_days", "Nia Lloyd", "27 Victoria Road|Swansea|SA1 5QF|GB",
     (_BOOTS, _SOCKS), _gone(10), "Delivered ten days ago, two lines, one of them twice"),
    ("delivered_20_days", "George Armitage", "6 Manor Road|Derby|DE1 3QB|GB", (_BAG,), _gone(20),
     "Delivered 20 days ago: too late to report damage, early enough to return"),
    ("delivered_61_days", "Grace Mitchell", "88 Church Lane|Oxford|OX4 1RE|GB", (_FLEECE,), _gone(61),
     "Delivered 61 days ago: too late to return, under the warranty"),
    ("delivered_2_years_1_month", "Robert Schofield", "15 Hill Rise|Sheffield|S10 2HP|GB", (_BOOTS,),
     _gone(761), "Delivered two years and a month ago: the warranty is over"),
    ("not_returnable", "Leah Fletcher", "9 West End|Keswick|CA12 5DQ|GB",
     (Good("Cragston Helmet", "S/M, White"),), _gone(8), "A helmet, which cannot simply be returned"),
    ("one_line_returnable_one_not", "Kiran Shah", "50 Lime Avenue|Coventry|CV3 6PL|GB",
     (_FLEECE, Good("Thermoflask 750", f"Steel, {ENGRAVED}")), _gone(8),
     "A fleece that can be returned, and an engraved flask that cannot"),
    ("return_registered", "Poppy Sutcliffe", "22 Beech Avenue|Harrogate|HG2 8DE|GB", (_JACKET,),
     _back(14, Back(R.REGISTERED, -3)), "A return is registered, and not arrived yet"),
    ("return_arrived", "Hamish Crawford", "1 Rowan Court|Inverness|IV2 3HF|GB", (_BOOTS,),
     _back(18, Back(R.ARRIVED, -6, -1)), "A return arrived yesterday, and is not inspected yet"),
    ("refund_pending", "Victoria Knight", "73 Kings Road|Brighton|BN1 2PJ|GB", (_BAG,),
     _back(20, Back(R.CLOSED, -9, -3, F.PENDING)), "Inspected, the refund is not issued yet"),
    ("refund_issued_yesterday", "Samuel Yates", "36 Windsor Road|Nottingham|NG5 2EH|GB", (_JACKET,),
     _back(22, Back(R.CLOSED, -10, -4, F.ISSUED, -1)), "The refund was issued yesterday"),
    ("refund_issued_20_days", "Charlotte Pickering", "11 Abbey Road|Durham|DH1 1LT|GB", (_TENT,),
     _back(40, Back(R.CLOSED, -30, -24, F.ISSUED, -20)),
     "The refund was issued 20 days ago: it should have arrived"),
    ("refund_failed", "Oscar Dawson", "18 Tower Street|Hull|HU9 1TY|GB", (_FLEECE,),
     _back(24, Back(R.CLOSED, -12, -6, F.FAILED)), "The refund failed"),
    ("exchange_registered", "Bronwen Parry", "7 Farm Lane|Betws-y-Coed|LL24 0AE|GB", (_BOOTS,),
     _back(12, Back(R.REGISTERED, -2, exchange=True)), "An exchange is registered"),
    ("return_refused", "Simon Burton", "29 North Parade|Bath|BA1 5NS|GB", (_BOOTS,),
     _back(50, Back(R.REFUSED, -30, -25)), "The return was refused: the boots were worn"),
    ("cancelled", "Matilda Bennett", "5 Holly Bank|Kendal|LA9 4QH|GB", (_TENT,),
     Story(-4, None, cancelled=True), "Cancelled before it was packed"),
    ("abroad_ireland", "Niamh Farrell", "10 Harcourt Terrace|Dublin|D02 X285|IE", (_JACKET,),
     _gone(9), "Delivered to Ireland, paid in euro: returning it costs 6.95"),
    ("norway", "Ingrid Solberg", "Fjellveien 12|Bergen|5019|NO", (_TENT,),
     Story(-8, 5, (Parcel(S.IN_TRANSIT, -7, 5),)), "On its way to Norway, paid in euro"),
    ("club_member", "Rosie Thornton", "44 Meadow Way|York|YO24 1AB|GB", (_SOCKS,), _gone(30),
     "A member of the Trail Club with 240 points"),
    ("no_club", "Jack Preston", "16 South Street|Exeter|EX1 1DZ|GB", (_SOCKS,), _gone(30),
     "An account without Trail Club"),
    ("newsletter", "Imogen Bell", "33 Ash Grove|Reading|RG1 5NQ|GB", (_FLEECE,), _gone(90),
     "Gets the newsletter"),
    ("gift_card", "Lewis Robson", "20 Market Place|Newcastle upon Tyne|NE1 1JE|GB",
     (Good("Gift card £50"),), _gone(100), "Bought the gift card whose code is given: £37.50 are left"),
    ("gift_card_expired", "Martha Pearce", "58 New Street|Plymouth|PL1 2NA|GB",
     (Good("Gift card £25"),), _gone(790), "Bought the gift card whose code is given: it has expired"),
    ("several_orders", "Eilidh Campbell", "13 The Crescent|Edinburgh|EH9 1QS|GB", (_JACKET,),
     Story(-2, 3, (Parcel(S.IN_TRANSIT, -1, 2),)),
     "Three orders of one account: this on its way, one delivered, one waiting to be packed"),
    ("several_orders_2", "Eilidh Campbell", "13 The Crescent|Edinburgh|EH9 1QS|GB", (_BOOTS, _SOCKS),
     _gone(7), "The second: delivered a week ago"),
    ("several_orders_3", "Eilidh Campbell", "13 The Crescent|Edinburgh|EH9 1QS|GB", (_BAG,),
     _RECEIVED, "The third: waiting to be packed"),
    ("returned_to_shop", "Noah Carr", "2 Forge Row|Carlisle|CA2 5TL|GB", (_FLEECE,),
     Story(-30, -25, (Parcel(S.RETURNED, -29, -25),)), "Nobody fetched it: it came back to the shop"),
    ("preorder_half_sent", "Joanna Reid", "65 Elm Close|Glasgow|G12 8QQ|GB", (_JACKET, _TENT),
     Story(-7, 20, (Parcel(S.DELIVERED, -6, -3, -3, (0,)),)),
     "The jacket was delivered; the tent, a pre-order, may still be cancelled"),
    ("paid_by_gift_card", "Aisha Khan", "90 Oak Drive|Birmingham|B13 8DT|GB", (_FLEECE,), _RECEIVED,
     "Waiting to be packed, paid with a gift card: cancelled, the money is back at once"),
)  # fmt: skip

GUESTS = {"received_guest", "refund_issued_20_days"}
_CODES = {"gift_card": "NP7K2M9QX4R8D3TW", "gift_card_expired": "NP3H8V5CZ1Y6B2LS"}
_PAID = {"paid_by_gift_card": "gift card", "return_arrived": "PayPal", "lost": "Klarna"}
_CLUB = {"club_member": 240, "several_orders": 85}
_NEWS = {"newsletter", "several_orders", "club_member"}


def _cases() -> dict[str, Case]:
    people: dict[str, Person] = {}
    found: dict[str, Case] = {}
    for index, (name, who, where, goods, story, shows) in enumerate(_ROWS):
        street, town, postcode, country = where.split("|")
        ident = "" if name in GUESTS else f"C{10001 + len(people)}"
        email = f"{who.replace(' ', '.').lower()}@mail.example"
        address = Address(who, street, town, postcode, country)
        buyer = people.setdefault(who, Person(ident, email, phone(900 + len(people)), address))
        found[name] = Case(
            f"NP-{100101 + index * 7}", email, postcode, shows,
            customer_id=buyer.id, code=_CODES.get(name, ""), buyer=buyer, goods=goods, story=story,
            paid=_PAID.get(name, "Visa ending 4242"), points=_CLUB.get(name),
            marketing=name in _NEWS,
        )  # fmt: skip
    several = [it for name, it in found.items() if name.startswith("several_orders")]
    return {
        name: Case(
            **{
                **vars(case),
                "also": tuple(
                    it.number for it in several if case in several and it.number != case.number
                ),
            }
        )
        for name, case in found.items()
    }


CASES: dict[str, Case] = _cases()
