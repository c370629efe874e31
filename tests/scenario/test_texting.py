"""The real system is texted, through the command that needs no account."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from bot.simulate.twilio import ACCOUNT, NUMBER, TOKEN
from tests.conftest import ROOT
from tests.postgres import free_port
from tests.system import System


def test_texting_from_a_terminal(tmp_path: Path):
    port = free_port()
    environment = {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": f"http://127.0.0.1:{port}",
        "SMS_FROM": NUMBER,
        "SMS_QUIET": "",
    }
    with System(tmp_path, **environment) as system:
        phone = subprocess.Popen(
            [sys.executable, "-m", "bot", "simulate", "sms", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, **system.environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert phone.stdin and phone.stdout
        shown: list[str] = []
        threading.Thread(target=lambda: shown.extend(phone.stdout), daemon=True).start()

        def hears(words: str, *, text: str = "") -> None:
            if text:
                phone.stdin.write(f"{text}\n")
                phone.stdin.flush()
            deadline = time.monotonic() + 30
            while words not in "".join(shown):
                assert time.monotonic() < deadline, f"{words!r} did not come: {shown}"
                time.sleep(0.05)

        try:
            hears("Write a text")
            hears("working days", text="how long does a return take?")
            hears("1 segment")
            hears("R-1001", text="I want to talk to a person")
            agent = system.agent()
            (ticket,) = agent.tickets()
            assert ticket["channel"] == "sms" and "+44" not in str(ticket)
            assert agent.claim(ticket).status_code == 200
            hears("Sam has joined")
            hears("no more texts", text="please stop texting me")
            body = {"client_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "text": "Hello."}
            refused = agent.post(f"conversations/{ticket['conversation_id']}/replies", body)
            assert refused.status_code == 409 and "no more texts" in refused.json()["detail"]
        finally:
            phone.kill()
            phone.wait()
    assert "+447700900123" not in system.log()  # numbers are not for logs
