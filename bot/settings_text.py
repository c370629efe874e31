"""The settings in words: .env.example, and what is wrong with a value."""

from __future__ import annotations

import textwrap

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from bot.settings import ROOT, Settings

HEADER = """\
# The settings of Rapport, each with its default. Copy this file to .env and change what you need;
# a variable of the environment wins over the file. Written by `python -m bot settings`.
"""


def example() -> str:
    """The text of .env.example."""
    parts = [HEADER]
    for name, field in Settings.model_fields.items():
        about = textwrap.fill(field.description or "", 96, break_on_hyphens=False)
        parts.append(textwrap.indent(about, "# ") + f"\n# {name.upper()}={_default(field)}\n")
    return "\n".join(parts)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).removeprefix(f"{ROOT}/")


def _secret(name: str) -> bool:
    field = Settings.model_fields.get(name.lower())
    return field is None or field.annotation is SecretStr


def explain(error: ValidationError) -> list[str]:
    """One sentence for each wrong setting, with its name in capitals and without its value when
    that may be a secret."""
    told = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"]).upper()
        text = item["msg"].removeprefix("Value error, ")
        if name and not _secret(name):
            text += f" (it is {item['input']!r})"
        told.append(f"{name}: {text}" if name else text)
    return told
