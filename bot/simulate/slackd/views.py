"""Modals: opened with a trigger that does not live long, changed, filled in, closed."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from bot.simulate.slackd.blocks import elements, with_ids, wrong_in_view
from bot.simulate.slackd.workspace import Refused, Workspace


@dataclass
class Trigger:
    user: str
    until: float
    used: bool = False


class Views:
    def __init__(self, workspace: Workspace, trigger_seconds: float):
        self._workspace, self._seconds = workspace, trigger_seconds
        self._triggers: dict[str, Trigger] = {}
        self._open: dict[str, list[dict[str, Any]]] = {}  # by user, the one on top is the last

    def trigger(self, user: str) -> str:
        name = f"{time.time_ns()}.{secrets.token_hex(8)}"
        self._triggers[name] = Trigger(user, time.time() + self._seconds)
        return name

    def last(self, user: str) -> dict[str, Any] | None:
        stack = self._open.get(user) or []
        return stack[-1] if stack else None

    def stack(self, user: str) -> list[dict[str, Any]]:
        return self._open.setdefault(user, [])

    def by_id(self, view_id: str = "", external_id: str = "") -> dict[str, Any] | None:
        for stack in self._open.values():
            for view in stack:
                if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                    return view
        return None

    def open(self, args: dict[str, Any]) -> dict[str, Any]:
        trigger = self._triggers.get(args.get("trigger_id") or "")
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if time.time() > trigger.until:
            raise Refused("expired_trigger_id")
        view = self._made(args.get("view"))
        trigger.used = True
        self._open[trigger.user] = [view]
        return view

    def push(self, user: str, given: Any) -> None:
        below = self.stack(user)
        if len(below) >= 3:
            raise Refused("push_limit_reached")
        view = self._made(given)
        view["previous_view_id"] = below[-1]["id"] if below else None
        view["root_view_id"] = below[0]["id"] if below else view["id"]
        below.append(view)

    def update(self, args: dict[str, Any]) -> dict[str, Any]:
        view = self.by_id(args.get("view_id") or "", args.get("external_id") or "")
        if view is None:
            raise Refused("not_found")
        if args.get("hash") and args["hash"] != view["hash"]:
            raise Refused("hash_conflict")
        return self.replace(view, args.get("view"))

    def replace(self, view: dict[str, Any], given: Any) -> dict[str, Any]:
        """The same view to whoever looks at it, with other contents."""
        kept = ("id", "root_view_id", "previous_view_id")
        new = {**self._made(given), **{name: view[name] for name in kept}}
        view.clear()
        view.update(new)
        return view

    def _made(self, given: Any) -> dict[str, Any]:
        wrong = wrong_in_view(given)
        if wrong:
            raise Refused(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] {it}" for it in wrong]},
            )
        space = self._workspace
        view_id = space.id("V")
        return {
            "id": view_id, "team_id": space.team_id, "type": given["type"],
            "title": given.get("title"), "submit": given.get("submit"),
            "close": given.get("close"), "blocks": with_ids(given["blocks"], space.id),
            "private_metadata": given.get("private_metadata") or "",
            "callback_id": given.get("callback_id") or "",
            "external_id": given.get("external_id") or "", "state": {"values": {}},
            "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
            "clear_on_close": bool(given.get("clear_on_close")),
            "notify_on_close": bool(given.get("notify_on_close")),
            "root_view_id": view_id, "previous_view_id": None, "app_id": space.app_id,
            "app_installed_team_id": space.team_id, "bot_id": space.bot.bot_id,
        }  # fmt: skip


def filled_in(view: dict[str, Any], values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The state of a view with these values, each named by its action or its block. Slack does not
    let somebody send a form that is not filled in, nor a text that is too long."""
    left, state = dict(values), {}
    for block, element in elements(view["blocks"]):
        if block["type"] != "input" and element["type"] in ("button", "overflow"):
            continue
        given = left.pop(element["action_id"], None)
        if given is None:
            given = left.pop(block["block_id"], None)
        if given is None:
            given = element.get("initial_value")
        if given in (None, "") and block["type"] == "input" and not block.get("optional"):
            raise AssertionError(f"Slack wants {element['action_id']} to be filled in")
        _fits(element, given)
        state.setdefault(block["block_id"], {})[element["action_id"]] = _value(element, given)
    if left:
        raise LookupError(f"the view has no {', '.join(sorted(left))}")
    return state


def _fits(element: dict[str, Any], given: Any) -> None:
    if element["type"] == "plain_text_input" and given:
        if len(given) > (element.get("max_length") or 3000):
            raise AssertionError(f"Slack does not take so long a text for {element['action_id']}")
        if len(given) < (element.get("min_length") or 0):
            raise AssertionError(f"Slack does not take so short a text for {element['action_id']}")


def _value(element: dict[str, Any], given: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind in ("static_select", "radio_buttons", "overflow"):
        return {"type": kind, "selected_option": option(element, given) if given else None}
    if kind in ("multi_static_select", "checkboxes"):
        return {"type": kind, "selected_options": [option(element, it) for it in given or []]}
    for ending, name in {
        "users_select": "selected_user", "conversations_select": "selected_conversation",
        "channels_select": "selected_channel", "datepicker": "selected_date",
        "timepicker": "selected_time",
    }.items():  # fmt: skip
        if kind == ending:
            return {"type": kind, name: given}
    return {"type": kind, "value": given}


def option(element: dict[str, Any], value: str) -> dict[str, Any]:
    """The option with this value, as it was offered."""
    groups = element.get("option_groups") or []
    offered = [*(element.get("options") or []), *(it for one in groups for it in one["options"])]
    for one in offered:
        if one["value"] == value:
            return one
    raise LookupError(f"{element['action_id']} offers no {value}")
