"""Those who lead change hours, queues and rules at the desk or in the files, without a restart."""

from __future__ import annotations

import errno
import html
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from bot import policies as module
from bot.app import Gateway
from bot.policies import fingerprint
from bot.store import schema
from tests.conftest import ROOT
from tests.contract.shop import running_gateway
from tests.contract.stand_in_engine import StandInEngine
from tests.contract.test_people import People

pytestmark = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)


class Lead(People):
    """A shop whose lead looks at the policies."""

    def __init__(self, client: TestClient, gateway: Gateway):
        super().__init__(client, gateway)
        self.lead = self.browse("lead")
        self.file = gateway.settings.service_file

    def page(self, file: str = "service") -> str:
        answer = self.lead.get("/desk/policies", params={"file": file})
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    def send(self, text: str, do: str = "save", base: str = "", file: str = "service") -> tuple:
        base = base or fingerprint(self.file.read_text(encoding="utf-8"))
        form = {"file": file, "text": text.replace("\n", "\r\n"), "base": base, "do": do}
        answer = self.lead.post("/desk/policies", data=form)
        return answer.status_code, html.unescape(answer.text)

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 8
        while not holds():
            assert time.monotonic() < deadline, "nothing has changed"
            time.sleep(0.05)


FILES = ("service", "escalation")


@pytest.fixture(scope="module")
def opened(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lead]:
    folder = tmp_path_factory.mktemp("policies")
    for name in FILES:
        shutil.copy(ROOT / f"{name}.yml", folder / f"{name}.yml")
    places = {f"{name.upper()}_FILE": str(folder / f"{name}.yml") for name in FILES}
    with (
        pytest.MonkeyPatch.context() as patch,
        running_gateway(migrated_sqlite, folder, patch, StandInEngine(), **places) as running,
    ):
        yield Lead(*running)


@pytest.fixture
def shop(opened: Lead) -> Lead:
    """The one shop, with the files as they are shipped, and nothing kept of former texts."""
    policies = opened.gateway.policies
    for name in FILES:
        shipped, file = (ROOT / f"{name}.yml").read_bytes(), policies.files[name].path
        if file.read_bytes() != shipped:
            file.write_bytes(shipped)
    policies.refresh()
    shutil.rmtree(opened.gateway.settings.data_dir / "policies", ignore_errors=True)
    assert policies.problems == {}
    return opened


def changed(shop: Lead, old: str, new: str) -> str:
    text = shop.file.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_only_those_who_lead(shop):
    for role in ("agent", "editor"):
        assert shop.browse(role).get("/desk/policies").status_code == 403
        assert shop.browse(role).post("/desk/policies", data={"file": "service"}).status_code == 403
    assert shop.lead.get("/desk/policies", params={"file": "../etc"}).status_code == 404
    elsewhere = shop.lead.post(
        "/desk/policies", data={"file": "service"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert elsewhere.status_code == 403


def test_the_page_says_in_words_what_counts(shop):
    page = shop.page()
    assert "Monday to Friday 9:00 to 18:00, Saturday 10:00 to 16:00." in page
    assert "Key customers" in page and "first_response: 5" in page
    assert "hands over, priority 1" in shop.page("escalation")


def test_a_mistake_is_named_with_its_line_and_nothing_is_saved(shop):
    before, noted = shop.file.read_bytes(), shop.audit()
    text = changed(shop, "  widen: 10 ", "  widen: soon ")
    line = text[: text.index("widen: soon")].count("\n") + 1
    for do in ("save", "check"):
        status, page = shop.send(text, do)
        assert status == 422 and f'data-line="{line}"' in page and "widen: soon" in page
    assert shop.file.read_bytes() == before
    assert shop.gateway.support.service.waiting.widen == 10
    assert shop.audit() == noted


def test_a_change_counts_at_once_for_open_tickets_too(shop):
    path, token = shop.ask("hello")
    person = {"client_id": str(uuid.uuid4())}
    assert shop.client.post(f"{path}/person", json=person, headers=token).status_code == 202
    database = shop.gateway.store.database

    def due() -> int | None:
        with database.reading() as tx:
            mine = schema.tickets.c.conversation_id == path.rsplit("/", 1)[1]
            return tx.execute(select(schema.tickets.c.sla_due_at).where(mine)).scalar_one_or_none()

    shop.until(lambda: due() is not None)
    before, first = shop.file.read_text(encoding="utf-8"), due()
    text = re.sub(r"first_response: \d+", "first_response: 4", before)
    text = re.sub(r"next_response: \d+", "next_response: 4", text)
    assert shop.send(text, "check")[0] == 200 and shop.file.read_text(encoding="utf-8") == before
    status, page = shop.send(text)
    assert status == 200 and "It counts from now on" in page
    assert shop.file.read_text(encoding="utf-8") == text  # lines end as they did
    shop.until(lambda: due() is not None and due() < first)
    kept = list((shop.gateway.settings.data_dir / "policies").iterdir())
    assert [it.read_text(encoding="utf-8") for it in kept] == [before]
    audit = html.unescape(shop.lead.get("/desk/audit").text)
    assert "policy changed" in audit and "+    first_response: 4" in audit and "Lead" in audit
    assert "Nothing was changed" in shop.send(text)[1]


def test_who_was_second_loses_neither_text(shop):
    base = fingerprint(shop.file.read_text(encoding="utf-8"))
    mine = changed(shop, "  widen: 10 ", "  widen: 11 ")
    theirs = changed(shop, "  widen: 10 ", "  widen: 12 ")
    assert shop.send(theirs, base=base)[0] == 200
    status, page = shop.send(mine, base=base)
    assert status == 409 and "widen: 11" in page and "widen: 12" in page
    assert "widen: 12" in shop.file.read_text(encoding="utf-8")
    again = re.search(r'name="base" value="(\w+)"', page).group(1)
    assert shop.send(mine, base=again)[0] == 200
    assert shop.gateway.support.service.waiting.widen == 11


def test_a_place_that_cannot_be_written_is_said(shop, monkeypatch):
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(module, "_replace", read_only)
    status, page = shop.send(changed(shop, "  widen: 10 ", "  widen: 11 "))
    assert status == 500 and "read-only file system" in page and "widen: 11" in page
    assert shop.gateway.support.service.waiting.widen == 10


def test_a_file_edited_elsewhere_counts_too_unless_it_is_wrong(shop):
    support = shop.gateway.support
    right = changed(shop, "  widen: 10 ", "  widen: 13 ")
    shop.file.write_text(right, encoding="utf-8")
    shop.until(lambda: support.service.waiting.widen == 13)
    shop.file.write_text(right.replace("widen: 13", "widen: [", 1), encoding="utf-8")
    shop.until(lambda: "service" in shop.gateway.policies.problems)
    assert support.service.waiting.widen == 13
    assert "what was there before still counts" in shop.page("service")
    shop.file.write_text(right.replace("widen: 13", "widen: 14", 1), encoding="utf-8")
    shop.until(lambda: support.service.waiting.widen == 14)
    assert "still counts" not in shop.page("service")
    rules = shop.gateway.settings.escalation_file
    text = rules.read_text(encoding="utf-8").replace("queue: payments", "queue: paymnets", 1)
    rules.write_text(text, encoding="utf-8")
    shop.until(lambda: "paymnets" in support.escalation.queues)
    assert "“paymnets”, which is not in service.yml" in shop.page()


def test_rules_of_escalation_count_at_once(shop):
    rules = shop.gateway.settings.escalation_file
    text = rules.read_text(encoding="utf-8")
    base = fingerprint(text)
    path, token = shop.ask("hello")
    phrase = re.search(r"  legal[^\n]*\n(?:    [^\n]*\n)*?    phrases:\n(\s+- )", text)
    assert phrase, "the topic of legal threats has phrases"
    start = phrase.start(1)
    more = f"{text[:start]}{phrase.group(1)}purple unicorn court\n{text[start:]}"
    status, page = shop.send(more, base=base, file="escalation")
    assert status == 200 and "It counts from now on" in page, page[-3000:]
    shop.ask("see you in the purple unicorn court", customer=(path, token))
    view = shop.client.get(f"{path}/messages", headers=token).json()
    assert view["ticket"]
