"""What a tag of HTML or JSX is: its parts, its kind, its attributes."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

LONGEST_TAG = 3000
"""Characters in a tag; what is not closed by then is no tag."""

BRACES = r"\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\}"
TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Za-z][\w.-]*+)"
    rf"(?P<rest>(?:[\s/](?:[^<>\"'{{}}]++|\"[^\"]*+\"|'[^']*+'|{BRACES})*+)?)>"
)
_ATTRIBUTE = re.compile(
    r"(?<![\w-])([\w-]++)\s*+=\s*+"
    r"(?:\{?\s*+(?:\"([^\"]*)\"|'([^']*)'|`([^`]*)`)|([^\s\"'`{}>]+))"
)

BLOCK = frozenset(
    """
    address article aside blockquote body br caption center col colgroup dd details dialog div dl dt
    fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre
    section summary table tbody td tfoot th thead tr ul
    """.split()  # noqa: SIM905 (readable, and as easily changed as prose)
)
INLINE = frozenset(
    """
    a abbr acronym audio b bdi bdo big button cite code data datalist del dfn em embed font i img
    input ins kbd label link mark meta meter nobr object option output param picture progress q rp rt
    ruby s samp select small source span strike strong sub sup textarea time track tt u var video wbr
    """.split()  # noqa: SIM905
)
HIDDEN = frozenset({"script", "style", "template", "svg", "iframe", "noscript", "canvas", "head"})
"""Elements whose content is no text."""

VOID = frozenset({"br", "hr", "col"})
"""Block elements that hold nothing."""

_BOLD = ("title", "label", "heading", "summary", "header")
_PLAIN = ("alt", "caption", "description", "text", "content")


@dataclass(frozen=True)
class Tag:
    """A tag at [start, end) of a text; `rest` is what stands between its name and `>`."""

    start: int
    end: int
    name: str
    closes: bool
    rest: str

    @classmethod
    def at(cls, text: str, start: int) -> Tag | None:
        """The tag that begins here, if there is one."""
        found = TAG.match(text, start, start + LONGEST_TAG)
        if found is None:
            return None
        return cls(start, found.end(), found["name"], bool(found["close"]), found["rest"])

    @property
    def element(self) -> str:
        """The name of an HTML element, or "" for a component or a placeholder."""
        lower = self.name.lower()
        known = lower in BLOCK or lower in INLINE or lower in HIDDEN
        return lower if known and (self.name == lower or self.name.isupper()) else ""

    def attributes(self) -> dict[str, str]:
        """The attributes that are plain texts, by name in small letters."""
        found = {}
        for it in _ATTRIBUTE.finditer(self.rest):
            value = next((part for part in it.groups()[1:] if part), "")
            if "${" not in value:
                found[it[1].lower()] = " ".join(html.unescape(value).split())
        return found

    def label(self) -> tuple[str, str]:
        """What readers see of a component's attributes: a title (`label` of a tab, `title` of a
        box) and a text (`alt`, `description`)."""
        values = self.attributes()
        title = next((values[it] for it in _BOLD if values.get(it)), "")
        if not title and self.name == "TabItem":
            title = values.get("value", "")
        return title, next((values[it] for it in _PLAIN if values.get(it)), "")
