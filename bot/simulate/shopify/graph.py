"""GraphQL over plain dicts: fields are keys, connections are lists, and what a query costs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    build_schema,
    get_named_type,
)

MOST = 1000  # points that one query may cost
BIGGEST = 250  # things on a page


@cache
def schema() -> GraphQLSchema:
    """Shopify's, as far as we use it."""
    return build_schema((Path(__file__).parent / "schema.graphql").read_text("utf-8"))


def resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    """A field: a key of a dict; a function is called with the arguments."""
    value = source.get(info.field_name) if isinstance(source, dict) else None
    if callable(value):
        value = value(**arguments)
    if isinstance(value, list):
        if get_named_type(info.return_type).name.endswith("Connection"):
            return page(value, arguments)
        if "first" in arguments:
            return value[: arguments["first"]]
    return value


def page(items: list[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """So many of a list, after a cursor."""
    first = arguments.get("first")
    if first is None or not 0 < first <= BIGGEST:
        raise ValueError("you must provide one of first or last, from 1 to 250")
    items = list(reversed(items)) if arguments.get("reverse") else items
    start = int(arguments["after"]) if arguments.get("after") else 0
    end = start + first
    return {
        "nodes": items[start:end],
        "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items)))},
    }


def cost(document: DocumentNode, variables: dict[str, Any]) -> int:
    """What a query costs at most: a point for each object, for each that a list may have; ten for
    a mutation."""
    total = 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            mutation = definition.operation.value == "mutation"
            total += _cost(definition.selection_set, variables)
            total += 10 * len(definition.selection_set.selections) if mutation else 0
    return total


def _cost(found: SelectionSetNode | None, variables: dict[str, Any]) -> int:
    total = 0
    for it in found.selections if found else ():
        if isinstance(it, FragmentSpreadNode):
            raise ValueError("fragments by name are not counted")
        if not isinstance(it, FieldNode):
            total += _cost(it.selection_set, variables)
        elif it.selection_set:
            inside = 1 + _cost(it.selection_set, variables)
            nodes = _nodes(it.selection_set)
            if nodes:  # a connection is one thing, and has as many as are asked for
                each = 1 + _cost(nodes.selection_set, variables)
                inside += each * (_first(it, variables) - 1)
                total += inside
            else:
                total += inside * _first(it, variables)
    return total


def _nodes(found: SelectionSetNode) -> FieldNode | None:
    fields = [it for it in found.selections if isinstance(it, FieldNode)]
    return next((it for it in fields if it.name.value == "nodes"), None)


def _first(field: FieldNode, variables: dict[str, Any]) -> int:
    for argument in field.arguments or ():
        if argument.name.value == "first":
            if isinstance(argument.value, VariableNode):
                return int(variables.get(argument.value.name.value) or 1)
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
    return 1
