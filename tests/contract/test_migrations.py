"""A store of an earlier version becomes one of today, with everything in it."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from bot.store import schema
from bot.store.database import MIGRATIONS, Database
from bot.support import Support


def to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=ON")


OLD = (
    "INSERT INTO agents (id, email, name, password_hash, created_at) VALUES"
    " (1, 'a@x.example', 'Ada', 'x', 1), (2, 'b@x.example', 'Bo', 'x', 1)",
    "INSERT INTO conversations (id, channel, token_hash, state, agent_id, ticket_id, last_seq,"
    " created_at, updated_at) VALUES ('w', 'web', 'x', 'waiting', NULL, 1, 1, 1, 1),"
    " ('h', 'web', 'x', 'human', 2, 2, 0, 1, 1),"
    " ('r', 'web', 'x', 'resolved', NULL, NULL, 0, 1, 1)",
    "INSERT INTO messages (conversation_id, seq, author, text, channel, created_at) VALUES"
    " ('w', 1, 'customer', 'hello', 'web', 1)",
    "INSERT INTO tickets (id, conversation_id, cause, reason_type, reason, priority, queue, state,"
    " agent_id, opened_at) VALUES (1, 'w', 'a', 'asked', '?', 3, 'general', 'waiting', NULL, 5),"
    " (2, 'h', 'b', 'asked', '?', 3, 'general', 'human', 2, 6),"
    " (3, 'r', 'c', 'asked', '?', 3, 'general', 'resolved', 1, 7)",
    "INSERT INTO follow_ups (kind, conversation_id, ticket_id, due_at) VALUES"
    " ('waiting_reminder', 'w', 1, 9)",
)


def test_a_store_with_open_tickets_goes_on(own_database: Database):
    to(own_database, "0003")
    with own_database.transaction() as tx:
        for statement in OLD:
            tx.exec_driver_sql(statement)
        if not own_database.is_sqlite:
            for table in ("agents", "tickets", "messages"):
                tx.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
    own_database.migrate()
    with own_database.reading() as tx:
        roles = dict(tx.execute(select(schema.agents.c.id, schema.agents.c.role)).all())
        tickets = tx.execute(select(schema.tickets).order_by(schema.tickets.c.id)).all()
        messages = tx.execute(select(schema.messages.c.text)).scalars().all()
    assert roles == {1: "admin", 2: "agent"} and messages == ["hello"]
    assert [it.next_at for it in tickets] == [5, 6, None]
    # The ticker looks at them, and nobody is forgotten.
    support = Support(own_database)
    assert support.watch() == 2
    assert support.messages("w")["messages"][-1]["author"] == "system"
    number = support.request_person("r", cause="new", reason_type="asked", reason="?")
    assert number == "R-1004"


def test_the_store_refuses_two_owners_and_a_ticket_without_a_deadline(database: Database):
    conversation = Support(database).open_conversation("web").conversation_id
    wrong = (
        "UPDATE conversations SET state = 'human'",
        "UPDATE conversations SET state = 'waiting'",
        "UPDATE conversations SET ticket_id = 1",
        "INSERT INTO tickets (conversation_id, cause, reason_type, reason, priority, queue, state,"
        f" opened_at) VALUES ('{conversation}', 'a', 'x', 'x', 3, 'general', 'waiting', 1)",
        "INSERT INTO tickets (conversation_id, cause, reason_type, reason, priority, queue, state,"
        f" opened_at, next_at) VALUES ('{conversation}', 'a', 'x', 'x', 3, 'general', 'human', 1, 1)",
    )
    for statement in wrong:
        with pytest.raises(DBAPIError, match=r"(?i)check constraint"), database.transaction() as tx:
            tx.exec_driver_sql(statement)
