"""Ids, and what may stand in a search.

Shopify's search has a syntax of its own (`name:1001 OR name:*`), and order numbers are typed by
customers. So only what can be an order's name goes into a search at all, as one quoted phrase, and
what is found is compared with what was asked for.
"""

from __future__ import annotations

import re

# What names of orders are made of: prefix, number and suffix, as the shop set them.
NUMBER = re.compile(r"#?[\w./ -]{1,40}", re.ASCII)
ID = re.compile(r"(?:gid://shopify/(?P<kind>[A-Za-z]+)/)?(?P<number>[0-9]{1,20})")


def order_search(number: str) -> str | None:
    """The search for an order by its name; None if it cannot be one."""
    return f'name:"{number.removeprefix("#")}"' if NUMBER.fullmatch(number) else None


def plain(name: str) -> str:
    """A name as it is compared: without the sign in front, in any case."""
    return name.removeprefix("#").casefold()


def gid(kind: str, text: str) -> str | None:
    """Shopify's global id: of ``123`` or ``gid://shopify/Customer/123``; None if it is neither, or
    an id of another kind."""
    found = ID.fullmatch(text)
    if not found or found["kind"] not in (None, kind):
        return None
    return f"gid://shopify/{kind}/{found['number']}"


def short(global_id: str) -> str:
    """The number of a global id, which is how ids look outside of this package."""
    return global_id.rsplit("/", 1)[-1].partition("?")[0]
