"""Compares requests and answers with an OpenAPI description: for scripts/twilio_contract.py.

Only what Twilio's description uses is understood; anything else in a schema is an error, so that
nothing passes for checked that was not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_NOTES = frozenset({"description", "title", "example", "examples", "default", "deprecated"})
_RULES = frozenset(
    {
        "type", "format", "nullable", "enum", "pattern", "minLength", "maxLength", "minimum",
        "maximum", "items", "properties", "required",
    }
)  # fmt: skip


class Description:
    """A description in a YAML file."""

    def __init__(self, path: Path):
        quick = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a megabyte and a half
        self._all = yaml.load(path.read_text(encoding="utf-8"), Loader=quick)  # noqa: S506
        self._paths = [
            (template, re.compile(_as_pattern(template)), found)
            for template, found in self._all["paths"].items()
        ]
        # "Accounts/{Sid}.json" fits fewer addresses than "{AccountSid}/Messages.json" has parts.
        self._paths.sort(key=lambda it: it[0].count("/"), reverse=True)

    def operation(
        self, method: str, path: str
    ) -> tuple[str, dict[str, Any], dict[str, str]] | None:
        """The path's template, what is described of the method there, and the path's parameters."""
        for template, pattern, found in self._paths:
            fits = pattern.fullmatch(path)
            if fits and method.lower() in found:
                return template, found[method.lower()], fits.groupdict()
        return None

    def request_problems(
        self,
        operation: Mapping[str, Any],
        *,
        path: Mapping[str, str],
        query: Mapping[str, list[str]],
        form: Mapping[str, list[str]],
        content_type: str = "",
    ) -> Iterator[str]:
        """What is wrong with a request, in words."""
        known = {(it["in"], it["name"]): it for it in operation.get("parameters") or []}
        sent = {("path", name): [value] for name, value in path.items()}
        sent |= {("query", name): values for name, values in query.items()}
        for (place, name), values in sent.items():
            if (place, name) not in known:
                yield f"{place} parameter {name}: not described"
            else:
                yield from self._values(known[place, name]["schema"], values, f"{place} {name}")
        for (place, name), it in known.items():
            if it.get("required") and (place, name) not in sent:
                yield f"{place} parameter {name}: missing"
        body = (operation.get("requestBody") or {}).get("content", {}).get(FORM)
        if body is None:
            yield from (f"form field {name}: no form is described" for name in form)
            return
        if content_type.partition(";")[0].strip() != FORM:
            yield f"content type {content_type!r}: {FORM} is described"
        schema = self._resolved(body["schema"])
        for name, values in form.items():
            if name not in schema["properties"]:
                yield f"form field {name}: not described"
            else:
                yield from self._values(schema["properties"][name], values, f"form {name}")
        for name in schema.get("required") or []:
            if name not in form:
                yield f"form field {name}: missing"

    def answer_problems(
        self, operation: Mapping[str, Any], status: int, answer: Any
    ) -> Iterator[str]:
        """What is wrong with an answer; a field that is described and absent is wrong, too. Raises
        LookupError for a status that is not described."""
        described = operation["responses"].get(str(status))
        if described is None:
            raise LookupError(status)
        yield from self._fits(described["content"][JSON]["schema"], answer, "answer")

    def _values(self, schema: Mapping[str, Any], values: list[str], where: str) -> Iterator[str]:
        """Parameters come as text: what their type is has to be read out of it."""
        schema = self._resolved(schema)
        if schema.get("type") == "array":
            for value in values:
                yield from self._values(schema["items"], [value], where)
            return
        if len(values) != 1:
            yield f"{where}: given {len(values)} times"
        value: Any = values[0]
        kind = schema.get("type")
        if kind == "integer" and re.fullmatch(r"-?\d+", value):
            value = int(value)
        elif kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", value):
            value = float(value)
        elif kind == "boolean" and value in ("true", "false"):
            value = value == "true"
        yield from self._fits(schema, value, where)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found = self._all
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def _fits(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        schema = self._resolved(schema)
        odd = {it for it in schema if not it.startswith("x-")} - _NOTES - _RULES
        if odd:
            raise NotImplementedError(f"{where}: {', '.join(sorted(odd))} in the description")
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null"
            return
        kind = schema.get("type", "object")
        if not _IS[kind](value):
            yield f"{where}: {value!r} is no {kind}"
        elif kind == "object":
            yield from self._object(schema, value, where)
        elif kind == "array":
            for at, one in enumerate(value):
                yield from self._fits(schema["items"], one, f"{where}[{at}]")
        else:
            yield from _plain(schema, value, where)

    def _object(self, schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        known = schema.get("properties")
        if known is None:
            return  # any object
        for name, one in value.items():
            if name not in known:
                yield f"{where}.{name}: not described"
            else:
                yield from self._fits(known[name], one, f"{where}.{name}")
        yield from (f"{where}.{name}: missing" for name in known if name not in value)


_IS = {
    "string": lambda it: isinstance(it, str),
    "integer": lambda it: isinstance(it, int) and not isinstance(it, bool),
    "number": lambda it: isinstance(it, int | float) and not isinstance(it, bool),
    "boolean": lambda it: isinstance(it, bool),
    "object": lambda it: isinstance(it, dict),
    "array": lambda it: isinstance(it, list),
}


def _plain(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {', '.join(map(str, schema['enum']))}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, str):
        low, high = schema.get("minLength", 0), schema.get("maxLength", len(value))
        if not low <= len(value) <= high:
            yield f"{where}: {len(value)} characters"
        if not _formed(schema.get("format", ""), value):
            yield f"{where}: {value!r} is no {schema['format']}"
    elif not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value} is out of range"


def _formed(form: str, value: str) -> bool:
    """Whether a text has a format; one that is unknown is a mistake here."""
    try:
        match form:
            case "" | "http-method":
                return True
            case "phone-number":  # numbers, short codes, names of senders, addresses of channels
                return bool(
                    re.fullmatch(r"\+[1-9]\d{4,14}|\d{3,8}|\w+:\S+|[A-Za-z0-9 ]{1,11}", value)
                )
            case "currency":
                return bool(re.fullmatch("[A-Za-z]{3}", value))
            case "uri":  # the lists' own pages are named without their host
                parts = urlsplit(value)
                return value.startswith("/") or bool(parts.scheme and parts.hostname)
            case "date-time":
                return datetime.fromisoformat(value).tzinfo is not None
            case "date-time-rfc-2822":
                return parsedate_to_datetime(value).tzinfo is not None
    except ValueError:
        return False
    raise NotImplementedError(f"the format {form} in the description")


def _as_pattern(template: str) -> str:
    """A pattern for addresses from "/Accounts/{Sid}.json"."""
    parts = re.split(r"\{(\w+)\}", template)
    return "".join(
        f"(?P<{part}>[^/]+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)
    )
