"""HTML and JSX in markdown: the tags go, what readers see stays, as plain markdown.

Tables and lists become those of markdown where their lines allow it, `<h2>` a heading, `<summary>`
and the labels of tabs and boxes bold text, `<a href>` a link, an image its alternative text. A name
in angle brackets that is neither HTML nor closed anywhere is a placeholder (`<your name>`) and stays.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left

from knowledge_base.markup.code import Code, Edit, apply
from knowledge_base.markup.dedent import Element, dedented
from knowledge_base.markup.elements import BLOCK, BRACES, HIDDEN, LONGEST_TAG, TAG, VOID, Tag
from knowledge_base.markup.lines import bold
from knowledge_base.markup.tables import to_markdown
from knowledge_base.markup.templates import readable

ANY = re.compile(r"</?[A-Za-z>]|\{[\"'A-Za-z]")
"""Without one of these, `clean_tags` has nothing to do."""

LONGEST_LINE = 3000
"""Characters between an opening and a closing tag that are made one line."""

_START = re.compile(r"(?<!\\)(?:</?(?=[A-Za-z>])|\{(?=[\"'A-Za-z]))")
_STRING = re.compile(r"\{(?:\"([^\"{}\n]*)\"|'([^'{}\n]*)')\}")
_EXPRESSION = re.compile(r"\{([A-Za-z_$][\w$]*(?:\.[\w$]+)*)\}")
_JAVASCRIPT = re.compile(BRACES)
_NESTED = re.compile(r"<(?:ul|ol|li|table|pre|dl)\b|\n[ \t]*\n", re.IGNORECASE)
_PRE = re.compile(r"<pre\b[^<>]*>[ \t]*+(?:<code\b(?P<code>[^<>]*)>)?[ \t]*+\n", re.IGNORECASE)
_CODE_END = re.compile(r"\s*+(?:</code\s*+>)?\s*+", re.IGNORECASE)
_INDENT = re.compile(r"[ \t>]*")
_LANGUAGE = re.compile(r"lang(?:uage)?-([\w+#-]+)")
_RAISED = ("0123456789+-()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ")
_LOWERED = ("0123456789+-()", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎")


def clean_tags(
    text: str,
    mdx: bool = False,
    anchors: dict[int, str] | None = None,
    *,
    one_line: bool = False,
) -> str:
    """The text without its tags. Ids of `<h2 id="...">` go to `anchors`, by 0-based line.

    `one_line` is for text that will be one line: no lists, headings and tables are made of it.
    """
    return _Tags(text, mdx, anchors, one_line).cleaned() if ANY.search(text) else text


class _Tags:
    """One text on its way through; what is remembered from tag to tag."""

    def __init__(
        self, text: str, mdx: bool, anchors: dict[int, str] | None, one_line: bool
    ) -> None:
        self.text, self.mdx, self.anchors, self.one_line = text, mdx, anchors, one_line
        self.code = Code(text, mdx)
        self.tables = [it.start() for it in re.finditer(r"(?i)<table\b", text)]
        self.ends: dict[str, list[tuple[int, int]]] = {}
        for it in re.finditer(r"</([A-Za-z][\w.-]*)\s*>", text):
            self.ends.setdefault(it[1].lower(), []).append(it.span())
        self.ordered: list[bool] = []
        self.opened: list[tuple[str, int, int]] = []
        self.elements: list[Element] = []
        self.tag_lines: set[int] = set()
        # Where the last edit ended, the 0-based line of this tag and its offset, whether nothing
        # visible stands before the tag there, and the last visible character.
        self.behind = self.line = self.line_start = 0
        self.fresh, self.last = True, ""

    def cleaned(self) -> str:
        edits: list[Edit] = []
        at = 0
        while found := _START.search(self.text, at):
            if skipped := self.code.end(found.start()):
                at = skipped
                continue
            edit = self._edit(found.start())
            at = edit[1] if edit else found.end()
            if edit:
                edits.append(edit)
        text = apply(self.text, edits)
        return text if self.one_line else dedented(text, self.elements, self.tag_lines, self.mdx)

    def _edit(self, start: int) -> Edit | None:
        tag = Tag.at(self.text, start)
        if tag is None:
            edit = self._expression(start)
            if edit:
                self._move_to(start)
        else:
            if not tag.element and not self._is_component(tag):
                return None
            self._move_to(start)
            edit = self._tag(tag)
        if edit:
            _, self.behind, new = edit
            self._count_lines(start, self.behind)
            self.last = new[-1:] or self.last
            self.fresh = self.fresh and not new.strip()
        return edit

    def _move_to(self, start: int) -> None:
        between = self.text[self.behind : start]
        self._count_lines(self.behind, start)
        same_line = between.rpartition("\n")
        self.fresh = (self.fresh or bool(same_line[1])) and not same_line[2].strip(" \t>")
        self.last = between[-1:] or self.last

    def _count_lines(self, start: int, end: int) -> None:
        passed = self.text.count("\n", start, end)
        if passed:
            self.line += passed
            self.line_start = self.text.rindex("\n", start, end) + 1

    def _is_component(self, tag: Tag) -> bool:
        return tag.rest.endswith("/") or "=" in tag.rest or tag.name.lower() in self.ends

    def _end_of(self, tag: Tag, most: int | None = None) -> tuple[int, int] | None:
        """Where the next closing tag of this name is, if it is no more than `most` away."""
        ends = self.ends.get(tag.name.lower(), [])
        found = bisect_left(ends, (tag.end, 0))
        near = found < len(ends) and (most is None or ends[found][0] <= tag.end + most)
        return ends[found] if near else None

    def _expression(self, start: int) -> Edit | None:
        """MDX's `{" "}`, `{version}` and `{list.map(...)}`, and the tags without a name."""
        if self.text.startswith(("<>", "</>"), start):
            end = self.text.index(">", start) + 1
            return (start, end, "") if self.mdx or self._alone(start, end) else None
        if found := _STRING.match(self.text, start):
            value = found[1] or found[2] or ""
            return (start, found.end(), value) if self.mdx or not value.strip() else None
        if not self.mdx:
            return None
        if found := _EXPRESSION.match(self.text, start):
            alone = self._alone(start, found.end())
            return (start, found.end(), "" if alone else readable(found[1]))
        found = _JAVASCRIPT.match(self.text, start, start + LONGEST_TAG)
        return (start, found.end(), "") if found and "(" in found[0] else None

    def _alone(self, start: int, end: int) -> bool:
        before = self.text[max(0, start - 200) : start].rpartition("\n")[2]
        return not before.strip() and not self._rest_of_line(end).strip()

    def _rest_of_line(self, at: int) -> str:
        """At most 200 characters of it, which tell whether there is text."""
        return self.text[at : at + 200].partition("\n")[0]

    def _indent_of(self, tag: Tag) -> str:
        """What stands before the tag on its line, as far as it is blank or a quote's mark."""
        found = _INDENT.match(self.text, self.line_start, tag.start)
        return found[0] if found else ""

    def _follows(self, at: int) -> str:
        """The beginning of the next line."""
        end = self.text.find("\n", at, at + 200)
        return self._rest_of_line(end + 1) if end >= 0 else ""

    def _tag(self, tag: Tag) -> Edit:
        name = tag.element
        block = name in BLOCK or not name
        if block and self.fresh and not self.one_line:
            self.tag_lines.add(self.line)
        if name in HIDDEN and not tag.closes and (edit := self._hidden(tag)):
            return edit
        if not tag.closes and (edit := self._whole_element(tag)):
            return edit
        if block and name not in VOID and not tag.rest.endswith("/"):
            self._open_or_close(tag)
        if tag.closes:
            return (tag.start, tag.end, self._gap(tag) if block else "")
        if name == "img":
            gap = " " if self.last.isalnum() else ""
            return (tag.start, tag.end, gap + tag.attributes().get("alt", ""))
        if name == "br":
            return (tag.start, tag.end, self._break(tag))
        if name == "li":
            marker = "1. " if self.ordered and self.ordered[-1] else "- "
            marker = marker if self.fresh and not self.one_line else self._gap(tag) + "• "
            return (tag.start, tag.end, marker if self._rest_of_line(tag.end).strip() else "")
        if name in ("td", "th") and not self.fresh:
            return (tag.start, tag.end, " | ")
        if not name and (label := self._label(tag)):
            return (tag.start, tag.end, label)
        return (tag.start, tag.end, self._gap(tag) if block else "")

    def _gap(self, tag: Tag) -> str:
        """A blank where words would run together."""
        follows = self.text[tag.end : tag.end + 1]
        return " " if self.last.strip() and follows.strip() and not self.fresh else ""

    def _break(self, tag: Tag) -> str:
        if self.one_line or self._rest_of_line(tag.end).strip():
            return " " if self.last.strip() else ""
        return "  " if not self.fresh and self._follows(tag.end).strip() else ""

    def _label(self, tag: Tag) -> str:
        """What readers see in place of a component's opening tag."""
        title, plain = tag.label()
        rest = self._rest_of_line(tag.end).strip()
        if not self.fresh or self.one_line:
            return f"{self._gap(tag)}{' '.join(it for it in (title, plain) if it)}"
        if title and not plain and not rest:
            return bold(title, self._follows(tag.end))
        return " ".join(it for it in (bold(title), plain) if it) + (" " if rest else "")

    def _open_or_close(self, tag: Tag) -> None:
        name = tag.name.lower()
        if not tag.closes:
            if name in ("ul", "ol"):
                self.ordered.append(name == "ol")
            blanks = self._indent_of(tag)
            indent = len(blanks.expandtabs(4)) if self.fresh and ">" not in blanks else -1
            self.opened.append((name, self.line, indent))
            return
        if name in ("ul", "ol") and self.ordered:
            self.ordered.pop()
        # Of what is never closed, as <p> and <li> often are, only so much is looked through.
        for back in range(1, min(len(self.opened), 50) + 1):
            if self.opened[-back][0] == name:
                _, line, indent = self.opened[-back]
                del self.opened[-back:]
                if indent >= 0 and line < self.line:
                    self.elements.append(Element(line, self.line, indent, not tag.element))
                return

    def _hidden(self, tag: Tag) -> Edit | None:
        """Script, style and their like with all that they hold."""
        found = self._end_of(tag)
        return (tag.start, found[1], "") if found else None

    def _flat(self, text: str) -> str:
        return " ".join(clean_tags(" ".join(text.split()), self.mdx, one_line=True).split())

    def _whole_element(self, tag: Tag) -> Edit | None:
        """Elements that are replaced together with what they hold."""
        name = tag.element
        if name == "table" and self.fresh and not self.one_line:
            return self._table(tag)
        if name == "pre" and self.fresh and not self.one_line:
            return self._preformatted(tag)
        if name not in ("a", "sup", "sub", "li", "summary", *(f"h{n}" for n in range(1, 7))):
            if tag.name != "Link":
                return None
            name = "a"
        found = self._end_of(tag, LONGEST_LINE)
        if found is None or self.code.fence_within(tag.start, found[1]):
            return None
        end = found[1]
        inner = self.text[tag.end : found[0]]
        if name in ("sup", "sub"):
            known, signs = _RAISED if name == "sup" else _LOWERED
            if inner.strip(known) or not inner:
                return None
            return (tag.start, end, inner.translate(str.maketrans(known, signs)))
        if name == "a":
            return self._link(tag, inner, end)
        if self.one_line or not self.fresh or _NESTED.search(inner):
            return None
        return self._one_liner(tag, self._flat(inner), end)

    def _link(self, tag: Tag, inner: str, end: int) -> Edit | None:
        values = tag.attributes()
        target = values.get("href") or values.get("to") or ""
        text = "" if _NESTED.search(inner) else self._flat(inner)
        if not text or not target or re.search(r"[<>\n]", target):
            return None
        if re.search(r"[\s()]", target):
            target = f"<{target}>"
        return (tag.start, end, f"[{text}]({target})")

    def _one_liner(self, tag: Tag, text: str, end: int) -> Edit | None:
        """A list item, a heading, or the summary of details."""
        name, rest = tag.element, self._rest_of_line(end).strip()
        if not text:
            return (tag.start, end, "")
        if name == "li":
            marker = "1. " if self.ordered and self.ordered[-1] else "- "
            return (tag.start, end, marker + text)
        if name == "summary" or rest:
            return (
                tag.start,
                end,
                bold(text, self._follows(end)) if not rest else bold(text) + " ",
            )
        if self.anchors is not None and (identity := tag.attributes().get("id")):
            self.anchors[self.line] = identity
        return (tag.start, end, f"{'#' * int(name[1])} {text}")

    def _table(self, tag: Tag) -> Edit | None:
        found = self._end_of(tag)
        if found is None:
            return None
        start, end = found
        inner_tables = bisect_left(self.tables, tag.end) < bisect_left(self.tables, start)
        if inner_tables or self.code.fence_within(tag.start, end):
            return None
        room = self.text.count("\n", tag.start, end) + 1
        if self._rest_of_line(end).strip():
            room = 1
        elif self._follows(end).strip():
            room -= 1  # a blank line ends the table
        inner = self.text[tag.end : start]
        new = to_markdown(inner, self._flat, room=room, indent=self._indent_of(tag))
        self.tag_lines.update(range(self.line, self.line + new.count("\n") + 1))
        return (tag.start, end, new)

    def _preformatted(self, tag: Tag) -> Edit | None:
        """Between fences, if both tags stand on lines of their own."""
        opening, end = _PRE.match(self.text, tag.start), self._end_of(tag)
        if not opening or not end or self._rest_of_line(end[1]).strip():
            return None
        inner, line, behind = self.text[opening.end() - 1 : end[0]].rpartition("\n")
        if not line or not _CODE_END.fullmatch(behind):
            return None
        if self.code.fence_within(tag.start, end[1]) or "```" in inner:
            return None
        language = _LANGUAGE.search(opening["code"] or "")
        inner = html.unescape(TAG.sub("", inner))
        new = f"```{language[1] if language else ''}{inner}\n```"
        return (tag.start, end[1], new)
