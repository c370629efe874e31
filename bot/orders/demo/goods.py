"""What the demo shop sells: the catalogue's products, with sizes, colours and prices."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CATALOGUE = Path(__file__).resolve().parents[3] / "data" / "catalogue.csv"

_CLOTHES = ("XS", "S", "M", "L", "XL", "XXL")
_KIDS = ("Age 5–6", "Age 7–8", "Age 9–10", "Age 11–12")
_FEET = tuple(f"UK {size}" for size in ("4", "5", "6", "7", "8", "8.5", "9", "10", "11", "12"))
_HANDS = ("S", "M", "L", "XL")

# By category: sizes, colours, and the price in pounds of what is not in _PRICES.
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {
    "Jackets": (_CLOTHES, ("Slate", "Moss", "Rust"), 140),
    "Fleeces": (_CLOTHES, ("Heather", "Navy", "Moss"), 60),
    "Trousers": (_CLOTHES, ("Black", "Slate"), 70),
    "Base Layers": (_CLOTHES, ("Black", "Teal"), 50),
    "Boots": (_FEET, ("Brown", "Grey"), 140),
    "Shoes": (_FEET, ("Black", "Blue"), 95),
    "Tents": ((), ("Green", "Orange"), 250),
    "Packs": ((), ("Slate", "Blue"), 90),
    "Sleeping Bags": (("Regular", "Long"), ("Blue",), 160),
    "Sleeping Mats": (("Regular", "Large"), (), 80),
    "Stoves and Cookware": ((), (), 35),
    "Climbing Gear": (("S/M", "L/XL"), ("White", "Red"), 80),
    "Walking Poles": ((), ("Black", "Green"), 70),
    "Accessories": ((), ("Black", "Red"), 20),
}

# In pounds; every price ends in 95p.
_PRICES = {
    "Stormhaven Waterproof Jacket": 179, "Stormhaven Pro Jacket": 289,
    "Glenmoor Waterproof Jacket": 129, "Drizzlecote Rain Jacket": 84,
    "Skerry Pack-Away Jacket": 59, "Eiderdown 700 Jacket": 219, "Eiderdown Lite Jacket": 159,
    "Windthorpe Windproof Jacket": 74, "Brackenfell Softshell Jacket": 99,
    "Summit Insulated Jacket": 169, "Little Stormhaven Kids' Jacket": 69,
    "Tarnside Fleece": 59, "Tarnside Half-Zip Fleece": 49, "Heatherby Fleece": 69,
    "Ridge Grid Fleece": 79, "Stormhaven Overtrousers": 89, "Fellway Walking Trousers": 64,
    "Fellway Zip-Off Trousers": 69, "Cragston Climbing Trousers": 74,
    "Merrinwell 150 Base Layer": 49, "Merrinwell 250 Base Layer": 64, "Merrinwell Leggings": 54,
    "Coolbeck Running Top": 29, "Cairnstone GTX Boots": 159, "Cairnstone Mid Boots": 129,
    "Glencoe Leather Boots": 184, "Wainscott Walking Boots": 119, "Ridge Mid Boots": 109,
    "Helvellin Mountain Boots": 239, "Puddlejack Kids' Boots": 44, "Fleetfell Trail Shoes": 104,
    "Cragston Approach Shoes": 114, "Wainscott Walking Shoes": 94, "Shoreline Sandals": 59,
    "Bothy Slippers": 34, "Summit 2 Tent": 349, "Summit 3 Tent": 419, "Corrie 1 Tent": 229,
    "Lochside 4 Tent": 389, "Lochside 6 Family Tent": 549, "Bothy 2 Tent": 189,
    "Tarnlight Tarp": 89, "Peg and Guyline Kit": 14, "Footprint for Summit 2": 34,
    "Traverse 65 Rucksack": 184, "Traverse 45 Rucksack": 149, "Daywalk 20 Backpack": 59,
    "Daywalk 30 Backpack": 74, "Fleetfell 8 Running Vest": 84, "Cubhaul Child Carrier": 219,
    "Portage 70 Duffel": 94, "Seal Dry Bag Set": 29, "Rucksack Rain Cover": 17,
    "Nightfell 300 Sleeping Bag": 189, "Nightfell 500 Sleeping Bag": 249,
    "Nightfell Long Sleeping Bag": 269, "Campden Synthetic Sleeping Bag": 79,
    "Silk Sleeping Bag Liner": 49, "Cloudrest Sleeping Mat": 99, "Cloudrest Ultralight Mat": 139,
    "Trailfoam Mat": 24, "Inflatable Pillow": 19, "Emberlite Gas Stove": 44,
    "Emberlite Cook System": 99, "Billycan Cookset": 39, "Thermoflask 750": 27,
    "Hydrabeck Water Bottle": 14, "Hydrabeck Water Filter": 39, "Cragston Helmet": 54,
    "Cragston Harness": 64, "Cragston 60 m Rope": 144, "Icebeck Ice Axe": 89,
    "Icebeck Crampons": 119, "Stridewell Carbon Poles": 109, "Stridewell Alu Poles": 49,
    "Peatglow 400 Headtorch": 44, "Peatglow Camp Lantern": 29, "Mosswool Socks": 15,
    "Mosswool Beanie": 19, "Stormhaven Gloves": 39, "Eiderdown Mitts": 49, "Moorgate Gaiters": 34,
    "Fairweather Sun Hat": 24, "Waymark Map Case": 14, "Waymark Compass": 27, "Midge Net": 9,
    "Reproof Spray": 11, "Down Wash": 9, "Seam Sealer": 7,
}  # fmt: skip

# Sizes and colours of those that differ from their category.
_VARIANTS: dict[str, tuple[str, ...]] = {
    "Cragston 60 m Rope": ("9.5 mm", "10 mm"),
    "Icebeck Ice Axe": ("50 cm", "60 cm"),
    "Icebeck Crampons": ("",),
    "Mosswool Socks": ("UK 3–5", "UK 6–8", "UK 9–11"),
    "Stormhaven Gloves": _HANDS,
    "Eiderdown Mitts": _HANDS,
    "Moorgate Gaiters": ("S/M", "L/XL"),
    "Peatglow 400 Headtorch": ("Black", "Red"),
    "Thermoflask 750": ("Steel", "Green"),
    "Hydrabeck Water Bottle": ("Blue", "Clear"),
}
_PLAIN = {
    "Tarnlight Tarp", "Peg and Guyline Kit", "Footprint for Summit 2", "Seal Dry Bag Set",
    "Rucksack Rain Cover", "Silk Sleeping Bag Liner", "Trailfoam Mat", "Inflatable Pillow",
    "Waymark Map Case", "Waymark Compass", "Midge Net", "Reproof Spray", "Down Wash",
    "Seam Sealer", "Peatglow Camp Lantern",
}  # fmt: skip

_SEALED = (
    "Ropes, helmets and harnesses can only come back with the seal unbroken, which a colleague has "
    "to confirm first."
)
_PERSONAL = "It was made for you, so we cannot sell it to anyone else."
_GIFT = "Gift cards cannot be returned."
_SAFETY = {"Cragston Helmet", "Cragston Harness", "Cragston 60 m Rope"}
ENGRAVED = "engraved"


@dataclass(frozen=True)
class Product:
    """Something that is sold. ``pence`` is its price in the UK; ``variants`` is never empty, ""
    stands for the only one."""

    name: str
    pence: int
    variants: tuple[str, ...]

    @property
    def cents(self) -> int:
        """Its price in euro: a fifth more, ending in 95."""
        return -(-self.pence * 12 // 1000) * 100 - 5


def why_not(product: str, variant: str) -> str:
    """Why something cannot be returned; "" for what can."""
    if product.startswith("Gift card"):
        return _GIFT
    if ENGRAVED in variant:
        return _PERSONAL
    return _SEALED if product in _SAFETY else ""


@cache
def products(path: Path = CATALOGUE) -> tuple[Product, ...]:
    """The catalogue's products; its rows that stand for a whole category are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["name"], row["category"]) for row in csv.DictReader(file)]
    return tuple(
        _product(name, category)
        for name, category in rows
        if name in _PRICES or (name != category and " " in name)
    )


def product(name: str) -> Product:
    """A product by its name; KeyError where there is none."""
    for found in products():
        if found.name == name:
            return found
    raise KeyError(name)


def _product(name: str, category: str) -> Product:
    sizes, colours, price = _KINDS.get(category, ((), (), 30))
    if "Kids" in name and sizes is _CLOTHES:
        sizes = _KIDS
    variants = tuple(
        ", ".join(part for part in (size, colour) if part)
        for colour in colours or ("",)
        for size in sizes or ("",)
    )
    if name in _PLAIN:
        variants = ("",)
    return Product(name, _PRICES.get(name, price) * 100 + 95, _VARIANTS.get(name, variants))
