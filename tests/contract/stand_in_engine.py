"""An engine that fails on command: a local HTTP server with our connector's manners.

The real engine cannot be told to be slow, silent or broken at a given moment; this one can. What it
says is as dull as can be: it repeats the text, so that a reply shows which message it answers.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a-secret-of-the-tests-only"


class StandInEngine:
    """Serves on a free loopback port from ``with`` to its end; ``behaviour`` may be changed."""

    def __init__(self) -> None:
        self.behaviour = "answer"  # or slow, silent, fail, garbage
        self.pause = 0.0
        self.asked: list[dict[str, Any]] = []
        self.most_in_flight: dict[str, int] = {}
        self._in_flight: dict[str, int] = {}
        self._lock = threading.Lock()
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = engine.take(question, self.headers.get("Authorization", ""))
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StandInEngine:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, question: dict[str, Any], authorization: str) -> tuple[int, Any]:
        if authorization != f"Bearer {SECRET}":
            return 401, {"detail": "wrong secret"}
        name = question["conversation_id"]
        with self._lock:
            self.asked.append(question)
            self._in_flight[name] = self._in_flight.get(name, 0) + 1
            self.most_in_flight[name] = max(self.most_in_flight.get(name, 0), self._in_flight[name])
        try:
            time.sleep(30 if self.behaviour == "slow" else self.pause)
            return self._answer(question)
        finally:
            with self._lock:
                self._in_flight[name] -= 1

    def _answer(self, question: dict[str, Any]) -> tuple[int, Any]:
        if self.behaviour == "fail":
            return 500, {"detail": "action failed: action_answer"}
        if self.behaviour == "garbage":
            return 200, b"<html>"
        replies = [] if self.behaviour == "silent" else [{"text": f"you said: {question['text']}"}]
        return 200, {
            "replies": replies,
            "intent": {"name": "ask_question", "confidence": 0.9},
            "entities": [],
            "emotion": {"label": "neutral", "probabilities": {}, "intensity": 0.0},
            "mood": {
                "label": "neutral",
                "level": 0,
                "heat": 0.0,
                "at": 0,
                "messages": 1,
                "why": "",
            },
            "actions": ["action_answer"],
            "slots": {},
        }
