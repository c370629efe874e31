"""Markup of template languages: Liquid (Jekyll, GitHub), Hugo's shortcodes, kramdown's attributes.

What a tag would show is not known here, so these are the rules:

{{ site.product }}, {% data variables.x.product %}    a word of their name, "product", where there are
                      other words on the line; nothing in addresses and on a line of their own
{% if %} A {% else %} B {% endif %}    A: a reader would see one of them; B only where A is empty
{% for %}, {% capture %}, {% comment %}    nothing of what they hold: it is made from data, or hidden
{% raw %}, {% highlight %}    what they hold, untouched
any other tag         nothing; but its title, label, text or caption, which readers see
[AUTOTITLE](/a/b-c)   "B c" for the title that GitHub puts there
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge_base.markup.code import Code, Edit, apply

ANY = re.compile(r"\{[{%:#.]|\{ [.#]|[\])`*_]\{|\[AUTOTITLE\]\(")
"""Without one of these, `clean_templates` has nothing to do."""

LONGEST_TAG = 2000
"""Characters in a tag; what is not closed by then is no tag, so a stray `{{` costs no more."""

DEEPEST = 50
"""Tags within tags that are followed."""

_OPENING = re.compile(r"\{\{\{|\{\{[<%]|\{\{|\{%|\\?\{ ?[#.][A-Za-z]|\{::?/?|\{#\s|\{[\w-]+=")
_CLOSING = {"{{{": "}}}", "{{<": ">}}", "{{%": "%}}", "{{": "}}", "{%": "%}"}
_NAME = re.compile(r"[\s/-]*([A-Za-z_][\w-]*)")
_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)\s*+[=:]\s*+(?:\"([^\"]*)\"|'([^']*)')")
_STRING = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)')")
_LABEL = re.compile(r"\s(?:name\s*=\s*)?(?:\"([^\"]*)\"|'([^']*)')")
_AUTO_TITLE = re.compile(r"\[AUTOTITLE\]\(([^)\s#]++)(?:#[^)\s]*+)?\)")
_WORD = re.compile(r"\w")
_VARIABLE = re.compile(r"[$.]?[A-Za-z_][\w.$-]*(?:\[[^\]]*\])*")
_DEFAULT = re.compile(r"\|\s*default:\s*(?:\"([^\"]*)\"|'([^']*)')")
_IN_ADDRESS = re.compile(r"(?:\]\(\s*<?|\]:\s*|\b(?:href|src|to)=[\"'{]?)[^)\s\"'>]*$")
_ID = re.compile(r"\{:? ?(?:[^{}]*\s)?#([\w:.-]+)")
_HEADING_END = re.compile(r"[ \t]*#*[ \t]*(?=\n|$)")
_LISTED = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+[^\n]*")

_BRANCHING = frozenset({"if", "ifversion", "unless", "case"})
_ENDS = {"ifversion": "if"}
"""Names of tags whose end is that of another one: `{% endif %}`."""
_BRANCHES = frozenset({"else", "elsif", "elif", "elseif", "when"})
_DROPPED = frozenset({"for", "tablerow", "capture", "comment", "schema", "javascript"})
_VERBATIM = frozenset({"raw", "verbatim"})
_CODE = frozenset({"highlight", "codeblock", "prism"})
_PATHS = frozenset({"link", "post_url", "ref", "relref"})
_LABELLED = frozenset(
    {"tab", "details", "expand", "collapse", "accordion", "step", "card", "heading"}
)
_BOLD = ("title", "label", "heading", "summary", "header")
_PLAIN = ("content", "text", "caption", "message", "description", "alt")


@dataclass
class _Tag:
    """A tag of the text at [start, end); `kind` is how it opens, `name` its first word."""

    start: int
    end: int
    kind: str
    name: str = ""
    closes: bool = False
    inner: str = ""
    branches: list[_Tag] = field(default_factory=list)
    partner: _Tag | None = None


def clean_templates(text: str, anchors: dict[int, str] | None = None) -> str:
    """The text as readers would see it; ids given to headings go to `anchors`, by 0-based line."""
    if not ANY.search(text):
        return text
    code = Code(text)
    edits: list[Edit] = []
    tags = list(_tags(text, code, edits))
    _pair(tags)
    for tag in tags:
        if tag.partner:
            edits += _hidden(text, tag)
    alone = _lines_of_tags_only(text, tags)
    line = counted = behind = 0
    in_address = False
    for tag in tags:
        line += text.count("\n", counted, tag.start)
        counted = tag.start
        between = text[max(behind, tag.start - 300) : tag.start]
        in_address = bool(_IN_ADDRESS.search(between)) or (
            in_address and not re.search(r"[\s)\"'>]", between)
        )
        behind = tag.end
        if tag.kind == "attributes":
            edits += _attributes(text, tag, line, anchors)
        else:
            edits.append((tag.start, tag.end, _shown(text, tag, line in alone, in_address)))
    for found in _AUTO_TITLE.finditer(text):
        if not code.end(found.start()):
            start = found.start() + 1
            title = readable(found[1].rstrip("/").rpartition("/")[2]).capitalize()
            edits.append((start, start + len("AUTOTITLE"), title))
    return apply(text, edits)


def readable(name: str) -> str:
    """The last part of a variable's name as words: `site.product_name` is "product name"."""
    name = re.sub(r"\[[^\]]*\]", "", name).strip(".")
    return re.sub(r"[_-]+", " ", name.rsplit(".", 1)[-1]).strip(" $")


def _tags(text: str, code: Code, edits: list[Edit]) -> Iterator[_Tag]:
    """The tags outside of code, in order. What `raw` and its like hold is passed over."""
    at = 0
    missing: set[str] = set()
    while found := _OPENING.search(text, at):
        start = found.start()
        if behind := code.end(start):
            at = behind
            continue
        at = found.end()
        closing = _CLOSING.get(found[0], "#}" if found[0] in ("{# ", "{#\n", "{#\t") else "}")
        end = text.find(closing, at, at + LONGEST_TAG)
        escaped = text[start - 1 : start] == "\\"
        if end < 0 or escaped or (closing == "}" and "\n" in text[at:end]):
            continue
        end += len(closing)
        inner = text[at : end - len(closing)]
        if closing == "}":
            if "{" in inner or (found[0].endswith("=") and text[start - 1 : start] not in ")]`*_"):
                continue
            yield _Tag(start, end, "attributes")
            at = end
            continue
        name = _NAME.match(inner)
        tag = _Tag(start, end, found[0], name[1] if name else "", inner=inner.strip())
        tag.closes = tag.inner.startswith("/") or tag.name.startswith("end")
        at = end
        if not tag.closes and tag.kind != "{{" and tag.name in _VERBATIM | _CODE:
            if tag.name not in missing and (last := _end_of(text, tag)):
                edits += _verbatim(text, tag, last)
                at = last.end()
                continue
            missing.add(tag.name)
        yield tag


def _end_of(text: str, tag: _Tag) -> re.Match | None:
    liquid = rf"\{{%-?\s*end{tag.name}\s*-?%\}}"
    return re.compile(rf"{liquid}|\{{\{{[<%]\s*/\s*{tag.name}\s*[>%]\}}\}}").search(text, tag.end)


def _verbatim(text: str, tag: _Tag, last: re.Match) -> list[Edit]:
    """Without the two tags; code becomes a fenced block if they stand on lines of their own."""
    opening = closing = ""
    if tag.name in _CODE and _is_line(text, tag.start, tag.end) and _is_line(text, *last.span()):
        language = re.match(r"\s*[\w-]+\s+([\w+#-]+)", tag.inner)
        opening, closing = f"```{language[1] if language else ''}", "```"
    return [(tag.start, tag.end, opening), (*last.span(), closing)]


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether nothing else stands on the lines of [start, end)."""
    before = text[max(text.rfind("\n", max(0, start - 80), start) + 1, start - 80) : start]
    behind = text[end : end + 80].split("\n", 1)[0]
    return not before.strip() and not behind.strip()


def _pair(tags: list[_Tag]) -> None:
    """Give each opening Liquid tag its end and its branches; those without an end get none."""
    opened: list[_Tag] = []
    for tag in tags:
        if tag.kind != "{%":
            continue
        if tag.closes:
            name = tag.name.removeprefix("end")
            if any(_ENDS.get(it.name, it.name) == name for it in opened):
                while _ENDS.get(opened[-1].name, opened[-1].name) != name:
                    opened.pop()
                opened.pop().partner = tag
        elif tag.name in _BRANCHES:
            if opened and opened[-1].name in _BRANCHING:
                opened[-1].branches.append(tag)
        elif tag.name in _BRANCHING | _DROPPED and len(opened) < DEEPEST:
            opened.append(tag)


def _hidden(text: str, tag: _Tag) -> list[Edit]:
    """What a paired tag does not show: data's loops, and all branches but the first with words."""
    assert tag.partner
    if tag.name in _DROPPED:
        return [(tag.start, tag.partner.end, "")]
    starts = [*([] if tag.name == "case" else [tag]), *tag.branches]
    ends = [*starts[1:], tag.partner]
    parts = [(a.end, b.start) for a, b in zip(starts, ends, strict=True)]
    shown = next((part for part in parts if _WORD.search(text, *part)), None)
    return [(*part, "") for part in parts if part != shown]


def _lines_of_tags_only(text: str, tags: list[_Tag]) -> set[int]:
    """The lines (0-based) on which there are no words beside tags; a heading is never one."""
    without = apply(text, [(tag.start, tag.end, "") for tag in tags])
    return {
        number
        for number, line in enumerate(without.split("\n"))
        if not _WORD.search(line) and not line.lstrip().startswith("#")
    }


def _attributes(text: str, tag: _Tag, line: int, anchors: dict[int, str] | None) -> list[Edit]:
    """kramdown's `{: .class}` and `{#id}`: the id is the anchor of the heading that it belongs to."""
    edits: list[Edit] = [(tag.start, tag.end, "")]
    own_line = _is_line(text, tag.start, tag.end)
    identity = _ID.search(text[tag.start : tag.end])
    heading = line - own_line  # on a line of its own, it belongs to what is above
    if identity and anchors is not None and heading >= 0 and _HEADING_END.match(text, tag.end):
        anchors[heading] = identity[1]
    if own_line and re.match(r"\{:\s*toc\b", text[tag.start : tag.end]):
        # The list of one item above it stands where the table of contents would be.
        above = text.rfind("\n", 0, max(0, text.rfind("\n", 0, tag.start))) + 1
        if listed := _LISTED.match(text, above, max(0, text.rfind("\n", 0, tag.start))):
            edits.append((listed.start(), listed.end(), ""))
    return edits


def _shown(text: str, tag: _Tag, alone: bool, in_address: bool) -> str:
    """What readers see in place of one tag."""
    if tag.kind in ("{{", "{{{"):
        in_address = in_address and text[tag.start - 3 : tag.start] != "://"
        return _value(tag.inner, alone, in_address, follows=text[tag.end : tag.end + 1])
    if tag.name in _PATHS:
        path = _STRING.search(tag.inner, len(tag.name)) or re.match(r"\s*\w+\s+(\S+)", tag.inner)
        found = next((it for it in path.groups() if it), "") if path else ""
        root = "/" if tag.name == "link" and not found.startswith("/") else ""
        return root + found if in_address else ""
    if in_address or tag.closes:
        return ""
    if tag.name in ("data", "param"):
        rest = tag.inner[len(tag.name) :].strip(" \"'-")
        known = rest.startswith(("variables.", "ui.")) or tag.name == "param"
        return readable(rest) if known and not alone and _VARIABLE.fullmatch(rest) else ""
    values = {it[1].lower(): it[2] or it[3] or "" for it in _ATTRIBUTE.finditer(tag.inner)}
    bold = next((values[it] for it in _BOLD if values.get(it)), "")
    if not bold and tag.name in _LABELLED and (label := _LABEL.search(tag.inner)):
        bold = label[1] or label[2] or ""
    plain = next((values[it] for it in _PLAIN if values.get(it)), "")
    bold = f"**{bold.strip()}**" if bold.strip() and alone else bold.strip()
    return " ".join(part for part in (bold, " ".join(plain.split())) if part)


def _value(inner: str, alone: bool, in_address: bool, *, follows: str) -> str:
    """What stands for `{{ inner }}`."""
    inner = inner.strip(" \n\t-")
    if literal := _STRING.match(inner) or _DEFAULT.search(inner):
        return literal[1] or literal[2] or ""
    name = inner.split("|", 1)[0].strip()
    if alone or in_address or not _VARIABLE.fullmatch(name):
        return ""
    if follows == "/" and re.search(r"url|path|root|host|domain", name.rsplit(".", 1)[-1]):
        return ""
    return readable(name)
