"""The tables. Times are integers: milliseconds since the epoch, UTC, by the store's own clock."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only numbers rows by itself in a column that is exactly INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

agents = Table(
    "agents",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", BigInteger, nullable=False),
)

desk_sessions = Table(
    "desk_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("agent_id", _Id, ForeignKey("agents.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("agent_id", _Id, ForeignKey("agents.id")),
    Column("ticket_id", _Id),  # the ticket that is open now
    Column("rating_ticket_id", _Id),  # the ticket whose rating is asked for
    Column("rating_until", BigInteger),
    Column("mood", JSON),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("last_seq", Integer, nullable=False, server_default=text("0")),
    Column("lease_owner", String(120)),
    Column("lease_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),  # 1, 2, 3 ... in its conversation: the public id
    Column("author", String(10), nullable=False),
    Column("agent_id", _Id, ForeignKey("agents.id")),
    Column("text", Text, nullable=False),
    Column("channel", String(20), nullable=False),
    Column("vendor_id", String(150)),
    Column("asks_for_person", Boolean, nullable=False, server_default=text("false")),
    Column("extra", JSON),  # sources and buttons; the rule that a customer's words set off
    Column("turn_id", String(32)),
    Column("handled_at", BigInteger),  # customers' messages: null until dealt with
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("channel", "vendor_id"),
    Index(
        "ix_messages_unhandled",
        "conversation_id",
        sqlite_where=text("handled_at IS NULL"),
        postgresql_where=text("handled_at IS NULL"),
    ),
)

turns = Table(
    "turns",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("message_id", _Id, ForeignKey("messages.id"), nullable=False, unique=True),
    Column("state", String(10), nullable=False),  # running, done
    Column("attempt", Integer, nullable=False),
    Column("outcome", String(20)),  # answered, person, failed, dropped
    Column("intent", String(60)),
    Column("confidence", Float),
    Column("understood", JSON),  # entities, emotion, slots, actions, the failure if there was one
    Column("mood", JSON),
    Column("citations", JSON),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Index("ix_turns_conversation_id", "conversation_id"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("cause", String(80), nullable=False, unique=True),  # the turn or event that opened it
    Column("reason_type", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", String(60)),  # of escalation.yml: the one whose reason it is
    Column("rules", JSON),  # all that applied while it was open, in order
    Column("mood", JSON),
    Column("priority", Integer, nullable=False),
    Column("queue", String(40), nullable=False),
    Column("state", String(12), nullable=False),
    Column("agent_id", _Id, ForeignKey("agents.id")),
    Column("note", Text),
    Column("rating", Integer),
    Column("opened_at", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("rated_at", BigInteger),
    Index("ix_tickets_conversation_id", "conversation_id"),
    Index("ix_tickets_state", "state", "closed_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("message_id", _Id, ForeignKey("messages.id"), nullable=False, unique=True),
    Column("conversation_id", String(32), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("state", String(10), nullable=False),  # queued, sent, failed, unknown
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("error", String(200)),
    Index(
        "ix_deliveries_queued",
        "due_at",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("ticket_id", _Id, ForeignKey("tickets.id")),
    Column("due_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Index(
        "ix_follow_ups_due",
        "due_at",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)

closed_gaps = Table(
    "closed_gaps",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("question", Text, nullable=False),  # the wording that named the gap
    Column("wordings", JSON, nullable=False),  # short hashes of all wordings in it
    Column("because", Text, nullable=False),
    Column("closed_by", String(100), nullable=False),
    Column("closed_at", BigInteger, nullable=False),
)
