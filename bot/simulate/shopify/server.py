"""The server: GraphQL over HTTP, in a thread."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from graphql import DocumentNode, GraphQLError, execute, parse, validate

from bot.simulate.shopify import graph
from bot.simulate.shopify.faults import Call, Fault, denial
from bot.simulate.shopify.mutations import Mutations
from bot.simulate.shopify.queries import Queries
from bot.simulate.shopify.seed import seeded
from bot.simulate.shopify.state import State

TOKEN = "shpat_of_the_local_server"
CLIENT = ("client-of-the-local-server", "shpss_of_the_local_server")
SCOPES = (
    "read_all_orders read_orders write_orders write_order_edits read_products "
    "read_merchant_managed_fulfillment_orders read_third_party_fulfillment_orders "
    "read_returns write_returns read_customers write_customers read_discounts write_discounts"
)
# Which scope a root field needs.
NEEDS = {
    "orders": "read_orders",
    "order": "read_orders",
    "customer": "read_customers",
    "customerByIdentifier": "read_customers",
    "returnableFulfillments": "read_returns",
    "returnReasonDefinitions": "read_returns",
    "codeDiscountNodeByCode": "read_discounts",
    "orderCancel": "write_orders",
    "orderUpdate": "write_orders",
    "orderInvoiceSend": "write_orders",
    "orderEditBegin": "write_order_edits",
    "orderEditSetQuantity": "write_order_edits",
    "orderEditCommit": "write_order_edits",
    "returnCreate": "write_returns",
    "customerUpdate": "write_customers",
    "customerEmailMarketingConsentUpdate": "write_customers",
    "discountCodeBasicCreate": "write_discounts",
}


@cache
def understood(query: str) -> tuple[DocumentNode | None, tuple[str, ...]]:
    """A document that the schema allows, or what is wrong with it."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error.message,)
    errors = validate(graph.schema(), document)
    return (None, tuple(it.message for it in errors)) if errors else (document, ())


class LocalShopify:
    """A shop at Shopify, from ``with`` to its end.

    Args:
        state: its orders and customers; those of the demo by default.
        version: the only one of the API that it knows.
        port: 0: any that is free.
    """

    def __init__(self, state: State | None = None, *, version: str = "2026-07", port: int = 0):
        self.state = state or seeded()
        self.version = version
        self.tokens = {TOKEN}
        self.scopes = set(SCOPES.split())
        self.calls: list[Call] = []
        self.done: Counter[str] = Counter()  # mutations that had an effect, by their field
        self.faults: deque[tuple[str, Fault]] = deque()  # with the operation they are for
        self.lock = threading.RLock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.daemon_threads = True
        self._server.shop = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LocalShopify:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, *faults: Fault, at: str = "") -> None:
        """What goes wrong with the next calls, one each; ``at``: only calls of this operation."""
        with self.lock:
            self.faults.extend((at, fault) for fault in faults)

    def operations(self) -> list[str]:
        """The names of all operations that came, in their order."""
        with self.lock:
            return [call.operation for call in self.calls]

    def meet(self, call: Call) -> None:
        """Count a call, and let it meet the fault that is meant for it."""
        with self.lock:
            self.calls.append(call)
            for pair in self.faults:
                if pair[0] in ("", call.operation):
                    self.faults.remove(pair)
                    pair[1](call)
                    return

    def answer(self, query: str, call: Call) -> tuple[int, dict[str, Any]]:
        """What a document answers."""
        document, refused = understood(query)
        if document is None:
            return 200, {"errors": [{"message": it} for it in refused]}
        points = graph.cost(document, call.variables)
        if points > graph.MOST:
            said = {
                "message": f"Query cost is {points}",
                "extensions": {"code": "MAX_COST_EXCEEDED"},
            }
            return 200, {"errors": [said]}
        operation: Any = document.definitions[0]
        for field in operation.selection_set.selections:
            need = NEEDS.get(field.name.value)
            if need and need not in self.scopes:
                return 200, {"data": None, "errors": [denial(field.name.value, need)]}
        with self.lock:
            mutation = operation.operation.value == "mutation"
            kind = Mutations if mutation else Queries
            root = kind(self, call).fields()
            result = execute(
                graph.schema(),
                document,
                root_value=root,
                variable_values=call.variables,
                field_resolver=graph.resolve,
            )
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [{"message": it.message} for it in result.errors]
        body["extensions"] = {"cost": {"requestedQueryCost": points}}
        return 200, body


class _Server(ThreadingHTTPServer):
    shop: LocalShopify


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # answers are small: nothing is won by waiting
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Keeps quiet."""

    def do_POST(self) -> None:
        shop = self.server.shop
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/admin/oauth/access_token":
            self._token(parse_qs(body.decode()))
            return
        if self.path != f"/admin/api/{shop.version}/graphql.json":
            self.reply(404, {"errors": "Not Found"})
            return
        if self.headers.get("X-Shopify-Access-Token") not in shop.tokens:
            self.reply(401, {"errors": "[API] Invalid API key or access token"})
            return
        asked = json.loads(body)
        call = Call(asked.get("operationName", ""), asked.get("variables") or {})
        shop.meet(call)
        time.sleep(call.wait)
        code, answer = shop.answer(asked["query"], call) if call.act else (500, {})
        time.sleep(call.wait_after)
        if call.cut:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        elif call.answer:
            self.reply(*call.answer)
        else:
            self.reply(code, answer)

    def _token(self, form: dict[str, list[str]]) -> None:
        shop = self.server.shop
        shop.meet(Call("token", {}))
        wanted = {
            "grant_type": ["client_credentials"],
            "client_id": [CLIENT[0]],
            "client_secret": [CLIENT[1]],
        }
        if form != wanted:
            self.reply(400, {"error": "invalid_request"})
            return
        token = f"shpat_{len(shop.tokens)}"
        shop.tokens.add(token)
        self.reply(200, {"access_token": token, "scope": "", "expires_in": 86399})

    def reply(self, code: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        with suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Shopify-API-Version", self.server.shop.version)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
