"""The people at the desk: roles, sessions, guesses, and what is written down of it. Through HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.app import Gateway
from bot.store import agents, schema
from bot.store.agents import Agents
from tests.conftest import ROOT
from tests.contract.shop import Page, Shop, running_gateway
from tests.contract.stand_in_engine import StandInEngine

needs_model = pytest.mark.skipif(
    not (ROOT / "models" / "encoder" / "card.json").exists(),
    reason="no models/encoder; `make train` builds it",
)
PASSWORD = "long enough pw"


class People(Shop):
    """A shop with one agent of each role."""

    def __init__(self, client: TestClient, gateway: Gateway):
        super().__init__(client, gateway)
        for role in ("lead", "editor", "admin"):
            gateway.store.agents.add(f"{role}@x.example", role.title(), PASSWORD, role)

    def browse(self, role: str) -> TestClient:
        browser = TestClient(self.client.app, follow_redirects=True)
        email = "ada@x.example" if role == "agent" else f"{role}@x.example"
        done = browser.post(
            "/desk/login", data={"email": email, "password": PASSWORD}, follow_redirects=False
        )
        assert done.status_code == 303, done.text
        return browser

    def audit(self) -> list[str]:
        with self.gateway.store.database.reading() as tx:
            return list(
                tx.execute(select(schema.audit.c.action).order_by(schema.audit.c.id)).scalars()
            )


@pytest.fixture
def people(migrated_sqlite: Path, tmp_path: Path, monkeypatch) -> Iterator[People]:
    """A shop whose people the test may change."""
    with running_gateway(migrated_sqlite, tmp_path, monkeypatch, StandInEngine()) as running:
        yield People(*running)


@pytest.fixture(scope="module")
def same_people(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[People]:
    """One shop for all tests that leave its people as they are."""
    folder = tmp_path_factory.mktemp("people")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_gateway(migrated_sqlite, folder, patch, StandInEngine()) as running,
    ):
        yield People(*running)


pytestmark = needs_model


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("agent", {"/desk", "/desk/knowledge", "/desk/me"}),
        ("lead", {"/desk", "/desk/knowledge", "/desk/me", "/desk/numbers", "/desk/audit"}),
        ("editor", {"/desk/knowledge", "/desk/me"}),
        (
            "admin",
            {
                "/desk",
                "/desk/knowledge",
                "/desk/me",
                "/desk/numbers",
                "/desk/audit",
                "/desk/people",
            },
        ),
    ],
)
def test_each_role_sees_its_pages(same_people, role, seen):
    browser = same_people.browse(role)
    pages = ("/desk", "/desk/knowledge", "/desk/me", "/desk/numbers", "/desk/audit", "/desk/people")
    for path in pages:
        answer = browser.get(path, follow_redirects=False)
        assert (answer.status_code == 200) == (path in seen), (role, path, answer.status_code)
        if path in seen and path != "/desk":
            page = Page(answer.text, dict(answer.headers))
            assert page.headings()[0] == 1 and "'unsafe-inline'" not in str(page.headers)
    for path in ("tickets", "events"):
        if role == "editor":
            assert browser.get(f"/desk/api/{path}").status_code == 403


def test_editors_see_no_customer(same_people):
    conversation = same_people.ask("my name is Ada and I am ill")[0].rsplit("/", 1)[1]
    browser = same_people.browse("editor")
    assert browser.get(f"/desk/api/conversations/{conversation}").status_code == 403
    headers = {"X-Rapport-Desk": "1"}
    assert browser.post("/desk/api/tickets/1/claim", headers=headers).status_code == 403


def test_an_admin_looks_after_the_people(people):
    admin = people.browse("admin")
    made = admin.post(
        "/desk/people", data={"email": "new@x.example", "name": "Nu <b>", "role": "agent"}
    )
    password = made.text.split("<code>")[1].split("</code>")[0]
    assert "Nu &lt;b&gt;" in made.text and "Nu <b>" not in made.text
    newcomer = next(it for it in people.gateway.store.agents.list() if it.email == "new@x.example")
    fields = {
        "do": "save", "name": "Nu", "role": "lead", "queues": "payments, VIP", "skills": "refunds",
        "languages": "de", "capacity": "2",
    }  # fmt: skip
    assert "Changed." in admin.post(f"/desk/people/{newcomer.id}", data=fields).text
    changed = people.gateway.store.agents.get(newcomer.id)
    assert changed.queues == {"payments", "vip"} and changed.capacity == 2 and changed.leads
    browser = TestClient(people.client.app, follow_redirects=True)
    assert browser.post("/desk/login", data={"email": "new@x.example", "password": password})
    assert browser.get("/desk/numbers").status_code == 200
    admin.post(f"/desk/people/{newcomer.id}", data={"do": "disable"})
    assert browser.get("/desk/numbers", follow_redirects=False).status_code == 303
    admin.post(f"/desk/people/{newcomer.id}", data={"do": "enable"})
    again = admin.post(f"/desk/people/{newcomer.id}", data={"do": "reset"}).text
    assert "<code>" in again and password not in again
    for wrong in ({"capacity": "many"}, {"role": "king"}, {"queues": "a;b"}, {"name": " "}):
        answer = admin.post(f"/desk/people/{newcomer.id}", data={**fields, **wrong})
        assert answer.status_code == 422 and "new@x.example" in answer.text
    assert admin.post("/desk/people", data={"email": "no address"}).status_code == 422
    assert admin.post("/desk/people/999", data={"do": "disable"}).status_code == 404
    log = people.audit()
    for action in ("agent.added", "agent.changed", "agent.disabled", "agent.enabled"):
        assert action in log
    page = people.browse("lead").get("/desk/audit").text
    assert "agent disabled" in page and "new@x.example" in page and "login" not in page.lower()


def test_the_last_admin_stays(people):
    admin = people.browse("admin")
    people.gateway.store.agents.disable("agent@northpeak.example")  # made at the first start
    me = next(it for it in people.gateway.store.agents.list() if it.email == "admin@x.example")
    assert "last admin" in admin.post(f"/desk/people/{me.id}", data={"do": "disable"}).text
    fields = {"do": "save", "name": "Admin", "role": "agent"}
    assert "last admin" in admin.post(f"/desk/people/{me.id}", data=fields).text


def test_forms_from_elsewhere_do_nothing(same_people):
    admin = same_people.browse("admin")
    headers = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/desk/people", "/desk/people/1", "/desk/me/password", "/desk/me/sign-out"):
        assert admin.post(path, data={"do": "disable"}, headers=headers).status_code == 403


def test_ones_own_password_and_sessions(people):
    one, two = people.browse("agent"), people.browse("agent")
    assert one.get("/desk/me").text.count("last used") >= 2
    assert "Signed out everywhere else" in one.post("/desk/me/sign-out").text
    assert two.get("/desk/me", follow_redirects=False).status_code == 303
    form = {"old": PASSWORD, "new": "another long one", "again": "another long one"}
    for wrong in ({"old": "no"}, {"again": "no"}, {"new": "short", "again": "short"}):
        assert one.post("/desk/me/password", data={**form, **wrong}).status_code == 422
    assert "new password counts" in one.post("/desk/me/password", data=form).text
    assert one.get("/desk/me", follow_redirects=False).status_code == 200


def test_a_stranger_who_guesses_does_not_keep_a_colleague_out(people):
    app = people.client.app
    home = TestClient(app, client=("192.0.2.1", 1))
    stranger = TestClient(app, client=("203.0.113.9", 1))
    other = TestClient(app, client=("203.0.113.10", 1))
    right = {"email": "lead@x.example", "password": PASSWORD}
    wrong = {**right, "password": "guess guess"}
    assert home.post("/desk/login", data=right, follow_redirects=False).status_code == 303
    codes = [stranger.post("/desk/login", data=wrong).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    assert other.post("/desk/login", data=right).status_code == 429  # from anywhere else
    assert home.post("/desk/login", data=right, follow_redirects=False).status_code == 303
    # A restart forgets nothing; ten minutes do.
    database = people.gateway.store.database
    assert not Agents(database).may_try("lead@x.example", "203.0.113.10")
    with database.transaction() as tx:
        tx.execute(update(schema.audit).values(at=schema.audit.c.at - 601_000))
    assert Agents(database).may_try("lead@x.example", "203.0.113.10")


def test_passwords_are_kept_as_argon2id_at_its_recommended_cost(people, monkeypatch):
    """Other tests hash more cheaply; see tests/conftest.py."""
    monkeypatch.setattr(agents, "PasswordHasher", PasswordHasher)
    database = people.gateway.store.database
    added = Agents(database).add("new@x.example", "Nu", PASSWORD)
    with database.reading() as tx:
        kept = tx.execute(
            select(schema.agents.c.password_hash).where(schema.agents.c.id == added.id)
        ).scalar_one()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_numbers_open_their_rows(people):
    people.hand_over(people.ask("hello"), "Here I am.", rating="5")
    lead = people.browse("lead")
    page = lead.get("/desk/numbers").text
    assert "First response, median" in page and "By hour of the day" in page
    found = lead.get("/desk/numbers?json=true").json()
    good = next(it for it in found["numbers"] if it["title"].startswith("Satisfied"))
    assert (good["value"], good["of"], good["rows"]) == (100, 1, 1)
    rows = lead.get("/desk/numbers/rows", params={"name": "Satisfied (4 or 5 of 5)"}).text
    assert "R-1001" in rows and "5 of 5" in rows
    by = lead.get(
        "/desk/numbers/rows", params={"name": "First response, median", "queue": "general"}
    )
    assert "R-1001" in by.text
    assert lead.get("/desk/numbers/rows", params={"name": "Nothing"}).status_code == 404
    assert lead.get("/desk/numbers", params={"days": 5}).status_code == 404


def test_the_commands(tmp_path, migrated_sqlite, monkeypatch):
    shutil.copy(migrated_sqlite, tmp_path / "rapport.db")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))

    def run(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(cli, ["agent", *words])
        assert done.exit_code == status, (done.output, done.exception)
        return done.output

    made = json.loads(run("add", "boss@x.example", "--role", "admin", "--json"))
    assert made["role"] == "admin" and len(made["password"]) >= 16
    run("add", "sam@x.example", "--name", "Sam Fell", "--password", PASSWORD)
    assert "a role is one of" in run("add", "x@x.example", "--role", "king", status=1)
    listed = json.loads(run("list", "--json"))["agents"]
    assert [it["email"] for it in listed] == ["boss@x.example", "sam@x.example"]
    assert "last admin" in run("disable", "boss@x.example", status=1)
    run("disable", "sam@x.example")
    assert "disabled" in run("list")
    run("enable", "sam@x.example")
    assert "Password: " in run("reset", "sam@x.example")
    assert "is no agent here" in run("reset", "gone@x.example", status=1)
