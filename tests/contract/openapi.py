"""As much of OpenAPI 3.1 as docs/orders-api.yaml needs, to see whether JSON fits it."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).resolve().parents[2] / "docs" / "orders-api.yaml"

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
# Everything that a schema may say here: what is not known would not be looked at.
_KNOWN = {
    "$ref", "type", "required", "properties", "items", "enum", "pattern", "format", "minimum",
    "minLength", "maxLength", "minItems", "oneOf", "default", "description",
}  # fmt: skip


class Api:
    """The description, read from its file."""

    def __init__(self, path: Path = FILE):
        self.document: dict[str, Any] = YAML(typ="safe").load(path.read_text("utf-8"))

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """The template and the operation of a request."""
        path = path.partition("?")[0]
        templates = sorted(self.document["paths"], key=lambda it: it.count("{"))
        for template in templates:
            form = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(form, path) and method.lower() in self.document["paths"][template]:
                found: dict[str, Any] = self.document["paths"][template][method.lower()]
                return template, found
        raise AssertionError(f"{method} {path} is not described")

    def answer(self, method: str, path: str, status: int) -> dict[str, Any]:
        """The schema of an answer."""
        responses = self.operation(method, path)[1]["responses"]
        response = self._followed(responses.get(str(status), responses["default"]))
        (content,) = response["content"].values()
        found: dict[str, Any] = content["schema"]
        return found

    def request(self, method: str, path: str) -> dict[str, Any] | None:
        """The schema of a request's body; None where there is none."""
        body = self.operation(method, path)[1].get("requestBody")
        return body["content"]["application/json"]["schema"] if body else None

    def misfits(self, value: Any, schema: dict[str, Any], at: str = "") -> list[str]:
        """Where a value does not fit; [] where it does. A field that is not described is a misfit."""
        assert schema.keys() <= _KNOWN, schema.keys() - _KNOWN
        if "$ref" in schema:
            return self.misfits(value, self._followed(schema), at)
        if "oneOf" in schema:
            tries = [self.misfits(value, it, at) for it in schema["oneOf"]]
            return [] if sum(not it for it in tries) == 1 else [f"{at}: none of {tries}"]
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, kind) for kind in kinds):
            return [f"{at}: no {kinds}"]
        found = _plain(value, schema, at)
        if isinstance(value, dict) and "properties" in schema:
            found += [f"{at}.{it}: missing" for it in schema.get("required", ()) if it not in value]
            for name, inner in value.items():
                if name not in schema["properties"]:
                    found.append(f"{at}.{name}: not described")
                else:
                    found += self.misfits(inner, schema["properties"][name], f"{at}.{name}")
        if isinstance(value, list):
            for index, inner in enumerate(value):
                found += self.misfits(inner, schema["items"], f"{at}.{index}")
        return found

    def _followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return schema


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _plain(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: none of {schema['enum']}")
    if isinstance(value, int) and value < schema.get("minimum", value):
        found.append(f"{at}: too small")
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        found.append(f"{at}: too few")
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append(f"{at}: length {len(value)}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{at}: not {schema['pattern']}")
        found += _format(value, schema.get("format", ""), at)
    return found


def _format(value: str, form: str, at: str) -> list[str]:
    try:
        if form == "date" and date.fromisoformat(value).isoformat() != value:
            return [f"{at}: no day"]
        if form == "date-time" and datetime.fromisoformat(value).tzinfo is None:
            return [f"{at}: a moment without zone"]
    except ValueError:
        return [f"{at}: no {form}"]
    return []
