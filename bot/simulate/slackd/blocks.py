"""What Slack takes for Block Kit, and in which words it refuses the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
TEXT = 40_000

Say = Callable[[str, str], None]
"""Told what is wrong and where."""


def wrong_in_blocks(blocks: Any, most: int = MESSAGE_BLOCKS, at: str = "/blocks") -> list[str]:
    """Everything that is wrong; blocks that may be posted have nothing."""
    found: list[str] = []
    say = lambda what, where: found.append(f"{what} [json-pointer:{where}]")
    if not isinstance(blocks, list) or not all(isinstance(it, dict) for it in blocks):
        return [f"must be an array of objects [json-pointer:{at}]"]
    _items(blocks, at, say, 0, most)
    named = [it["block_id"] for it in blocks if it.get("block_id")]
    for name in sorted({it for it in named if named.count(it) > 1}):
        say(f"`block_id` must be unique, {name} is not", at)
    for number, block in enumerate(blocks):
        _block(block, f"{at}/{number}", say)
    if sum(len(it.get("text", "")) for it in blocks if it.get("type") == "markdown") > 12_000:
        say("markdown must be less than 12001 characters in all", at)
    return found


def wrong_in_view(view: Any) -> list[str]:
    """A modal that may be opened has nothing wrong."""
    if not isinstance(view, dict):
        return ["must be an object [json-pointer:/view]"]
    found: list[str] = []
    say = lambda what, where: found.append(f"{what} [json-pointer:{where}]")
    if view.get("type") not in ("modal", "home"):
        say("unsupported type", "/view/type")
    if view.get("type") == "modal":
        _plain(view, "title", 24, "/view", say, needed=True)
        _plain(view, "submit", 24, "/view", say)
        _plain(view, "close", 24, "/view", say)
        if any(it.get("type") == "input" for it in view.get("blocks") or []) and not view.get(
            "submit"
        ):
            say("missing required field: submit", "/view")
    _length(view, "private_metadata", 3000, "/view", say)
    _length(view, "callback_id", 255, "/view", say)
    _length(view, "external_id", 255, "/view", say)
    return found + wrong_in_blocks(view.get("blocks"), MODAL_BLOCKS, "/view/blocks")


def elements(blocks: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every element that somebody may touch, with its block."""
    found = []
    for block in blocks:
        inside = list(block.get("elements") or [])
        inside += [block[it] for it in ("accessory", "element") if isinstance(block.get(it), dict)]
        found += [(block, it) for it in inside if isinstance(it, dict) and it.get("action_id")]
    return found


def with_ids(blocks: list[dict[str, Any]], new: Callable[[str], str]) -> list[dict[str, Any]]:
    """Slack names what nobody named: blocks and what can be touched in them."""
    named = []
    for block in blocks:
        block = {**block, "block_id": block.get("block_id") or new("blk")}
        for part in ("accessory", "element"):
            if isinstance(block.get(part), dict):
                block[part] = _named(block[part], new)
        if block.get("type") in ("actions", "context_actions"):
            block["elements"] = [_named(it, new) for it in block["elements"]]
        named.append(block)
    return named


def _named(element: dict[str, Any], new: Callable[[str], str]) -> dict[str, Any]:
    if element.get("action_id") or element.get("type") == "image":
        return element
    return {**element, "action_id": new("act")}


# Blocks.


def _block(block: dict[str, Any], at: str, say: Say) -> None:
    _length(block, "block_id", 255, at, say)
    kind = block.get("type")
    check = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        say(f"unsupported type: {kind}", at)
        return
    check(block, at, say)


def _section(block: dict[str, Any], at: str, say: Say) -> None:
    fields = block.get("fields")
    if not block.get("text") and not fields:
        say("missing required field: text or fields", at)
    if "text" in block:
        _text(block["text"], 3000, f"{at}/text", say)
    if fields is not None:
        _items(fields, f"{at}/fields", say, 1, 10)
        for number, text in enumerate(fields if isinstance(fields, list) else []):
            _text(text, 2000, f"{at}/fields/{number}", say)
    if block.get("accessory"):
        _element(block["accessory"], f"{at}/accessory", say)


def _header(block: dict[str, Any], at: str, say: Say) -> None:
    _plain(block, "text", 150, at, say, needed=True)


def _markdown(block: dict[str, Any], at: str, say: Say) -> None:
    if not isinstance(block.get("text"), str) or not block["text"]:
        say("must be more than 0 characters", f"{at}/text")


def _context(block: dict[str, Any], at: str, say: Say) -> None:
    _items(block.get("elements"), f"{at}/elements", say, 1, 10)
    for number, element in enumerate(block.get("elements") or []):
        where = f"{at}/elements/{number}"
        if element.get("type") == "image":
            _image(element, where, say)
        else:
            _text(element, 2000, where, say)


def _actions(most: int) -> Callable[[dict[str, Any], str, Say], None]:
    def check(block: dict[str, Any], at: str, say: Say) -> None:
        inside = block.get("elements")
        _items(inside, f"{at}/elements", say, 1, most)
        inside = inside if isinstance(inside, list) else []
        named = [it.get("action_id") for it in inside if it.get("action_id")]
        if len(named) != len(set(named)):
            say("`action_id` must be unique within a block", f"{at}/elements")
        for number, element in enumerate(inside):
            _element(element, f"{at}/elements/{number}", say)

    return check


def _input(block: dict[str, Any], at: str, say: Say) -> None:
    _plain(block, "label", 2000, at, say, needed=True)
    _plain(block, "hint", 2000, at, say)
    if not isinstance(block.get("element"), dict):
        say("missing required field: element", at)
    else:
        _element(block["element"], f"{at}/element", say)


def _image(block: dict[str, Any], at: str, say: Say) -> None:
    if not (block.get("image_url") or block.get("slack_file")):
        say("missing required field: image_url", at)
    _length(block, "image_url", 3000, at, say)
    _length(block, "alt_text", 2000, at, say, needed=True)
    _plain(block, "title", 2000, at, say)


def _anything(block: dict[str, Any], at: str, say: Say) -> None:
    """Nothing in it that this server knows a limit of."""


_BLOCKS: dict[str, Callable[[dict[str, Any], str, Say], None]] = {
    "section": _section, "header": _header, "markdown": _markdown, "context": _context,
    "actions": _actions(25), "context_actions": _actions(5), "input": _input, "image": _image,
    "divider": _anything, "rich_text": _anything, "table": _anything, "video": _anything,
}  # fmt: skip

# Elements.

_SELECTS = ("static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow")


def _element(element: dict[str, Any], at: str, say: Say) -> None:
    kind = element.get("type") or ""
    _length(element, "action_id", 255, at, say)
    _plain(element, "placeholder", 150, at, say)
    if kind == "button":
        _plain(element, "text", 75, at, say, needed=True)
        _length(element, "value", 2000, at, say)
        _length(element, "url", 3000, at, say)
        if element.get("style") not in (None, "primary", "danger"):
            say("must be one of: primary, danger", f"{at}/style")
    elif kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            _plain(element.get(side) or {}, "text", 75, f"{at}/{side}", say, needed=True)
            _length(element.get(side) or {}, "value", 2000, f"{at}/{side}", say)
    elif kind in _SELECTS:
        most = 10 if kind in ("radio_buttons", "checkboxes") else 5 if kind == "overflow" else 100
        if "option_groups" not in element:
            _options(element.get("options"), most, f"{at}/options", say)
    elif kind == "image":
        _image(element, at, say)
    elif kind == "plain_text_input":
        if not 0 <= (element.get("max_length") or 3000) <= 3000:
            say("must be less than 3001", f"{at}/max_length")
    elif not kind.endswith(("_select", "picker", "_input", "icon_button")):
        say(f"unsupported type: {kind}", at)
    if element.get("confirm"):
        where = f"{at}/confirm"
        _plain(element["confirm"], "title", 100, where, say)
        _plain(element["confirm"], "confirm", 30, where, say)
        _plain(element["confirm"], "deny", 30, where, say)
        if "text" in element["confirm"]:
            _text(element["confirm"]["text"], 300, f"{where}/text", say)


def _options(options: Any, most: int, at: str, say: Say) -> None:
    _items(options, at, say, 1, most)
    for number, option in enumerate(options if isinstance(options, list) else []):
        where = f"{at}/{number}"
        _text(option.get("text"), 75, f"{where}/text", say)
        _length(option, "value", 150, where, say, needed=True)
        if "description" in option:
            _text(option["description"], 75, f"{where}/description", say)


# What all of them are made of.


def _text(text: Any, most: int, at: str, say: Say, *, kinds: tuple[str, ...] = ()) -> None:
    kinds = kinds or ("plain_text", "mrkdwn")
    if not isinstance(text, dict) or text.get("type") not in kinds:
        say(f"must be a text object of type {' or '.join(kinds)}", at)
    elif not isinstance(text.get("text"), str) or not text["text"]:
        say("must be more than 0 characters", f"{at}/text")
    elif len(text["text"]) > most:
        say(f"must be less than {most + 1} characters", f"{at}/text")


def _plain(
    holder: dict[str, Any], name: str, most: int, at: str, say: Say, *, needed: bool = False
) -> None:
    if holder.get(name):
        _text(holder[name], most, f"{at}/{name}", say, kinds=("plain_text",))
    elif needed:
        say(f"missing required field: {name}", at)


def _length(
    holder: dict[str, Any], name: str, most: int, at: str, say: Say, *, needed: bool = False
) -> None:
    value = holder.get(name)
    if value is None:
        if needed:
            say(f"missing required field: {name}", at)
    elif not isinstance(value, str):
        say("must be a string", f"{at}/{name}")
    elif len(value) > most:
        say(f"must be less than {most + 1} characters", f"{at}/{name}")


def _items(items: Any, at: str, say: Say, least: int, most: int) -> None:
    if not isinstance(items, list):
        say("must be an array", at)
    elif len(items) < least:
        say(f"no fewer than {least} items allowed", at)
    elif len(items) > most:
        say(f"no more than {most} items allowed", at)
