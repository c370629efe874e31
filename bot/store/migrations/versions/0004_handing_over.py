"""Handing over: clocks and deadlines of tickets, their history, agents' roles, notices, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('waiting', 'human')")
QUEUED = sa.text("state = 'queued'")

AGENTS = [
    ("role", sa.String(10), {"server_default": sa.text("'agent'"), "nullable": False}),
    ("skills", sa.JSON(), {}),
    ("queues", sa.JSON(), {}),
    ("languages", sa.JSON(), {}),
    ("capacity", sa.Integer(), {}),
    ("away", sa.Boolean(), {"server_default": sa.text("false"), "nullable": False}),
]
CONVERSATIONS = [
    ("contact", sa.String(254), {}),
    ("language", sa.String(10), {}),
    ("seen_at", sa.BigInteger(), {}),
]
TICKETS = [
    ("settled", sa.Text(), {}),
    ("priority_why", sa.JSON(), {}),
    ("summary", sa.JSON(), {}),
    ("tags", sa.JSON(), {}),
    ("also_in", sa.JSON(), {}),
    ("wanted_agent_id", ID, {}),
    ("merged_into", ID, {}),
    ("waiting_since", sa.BigInteger(), {}),
    ("customer_since", sa.BigInteger(), {}),
    ("answered_at", sa.BigInteger(), {}),
    ("first_answered_at", sa.BigInteger(), {}),
    ("snoozed_until", sa.BigInteger(), {}),
    ("promised_for", sa.BigInteger(), {}),
    ("reminders", sa.Integer(), {"server_default": sa.text("0"), "nullable": False}),
    ("nudged_at", sa.BigInteger(), {}),
    ("sla", sa.String(60), {}),
    ("sla_due_at", sa.BigInteger(), {}),
    ("sla_clock", sa.String(20), {}),
    ("sla_warned", sa.JSON(), {}),
    ("sla_breached", sa.JSON(), {}),
    ("next_at", sa.BigInteger(), {}),
    ("asked_rating_at", sa.BigInteger(), {}),
    ("handled_by", sa.String(10), {}),
    ("rating_comment", sa.Text(), {}),
]


def upgrade() -> None:
    _new_tables()
    for table, columns in (("agents", AGENTS), ("conversations", CONVERSATIONS)):
        for name, kind, options in columns:
            op.add_column(table, sa.Column(name, kind, **options))
    for name, kind, options in TICKETS:
        op.add_column("tickets", sa.Column(name, kind, **options))
    # Whoever was there first set Rapport up.
    op.execute("UPDATE agents SET role = 'admin' WHERE id = (SELECT min(id) FROM agents)")
    # The ticker looks at every open ticket at once and finds out what is due.
    op.execute(
        "UPDATE tickets SET next_at = opened_at, waiting_since = opened_at, "
        "customer_since = opened_at WHERE state IN ('waiting', 'human')"
    )
    op.execute("DELETE FROM follow_ups WHERE kind = 'waiting_reminder' AND done_at IS NULL")
    with op.batch_alter_table("conversations") as table:
        table.create_check_constraint(
            op.f("ck_conversations_owner"), "(state = 'human') = (agent_id IS NOT NULL)"
        )
        table.create_check_constraint(
            op.f("ck_conversations_owed"),
            "(state IN ('waiting', 'human')) = (ticket_id IS NOT NULL)",
        )
    with op.batch_alter_table("tickets") as table:
        table.create_foreign_key(
            op.f("fk_tickets_wanted_agent_id"), "agents", ["wanted_agent_id"], ["id"]
        )
        table.create_check_constraint(
            op.f("ck_tickets_deadline"),
            "state NOT IN ('waiting', 'human') OR next_at IS NOT NULL",
        )
        table.create_check_constraint(
            op.f("ck_tickets_holder"), "state <> 'human' OR agent_id IS NOT NULL"
        )
    op.create_index(
        "ix_tickets_next", "tickets", ["next_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def _new_tables() -> None:
    op.create_table(
        "ticket_events",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("agent_id", ID),
        sa.Column("data", sa.JSON()),
        *_keys("ticket_events", ticket_id="tickets", agent_id="agents"),
    )
    op.create_index("ix_ticket_events_ticket_id", "ticket_events", ["ticket_id"])
    op.create_index("ix_ticket_events_kind", "ticket_events", ["kind", "at"])
    op.create_table(
        "saved_replies",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", ID),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_saved_replies_name")),
        *_keys("saved_replies", changed_by="agents"),
    )
    op.create_table(
        "lookers",
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("ticket_id", ID, nullable=False),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "ticket_id", name=op.f("pk_lookers")),
        *_keys("lookers", agent_id="agents", ticket_id="tickets"),
    )
    op.create_table(
        "notices",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("sink", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("ticket_id", ID),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("error", sa.String(200)),
        *_keys("notices", ticket_id="tickets"),
    )
    op.create_index(
        "ix_notices_queued", "notices", ["due_at"], sqlite_where=QUEUED, postgresql_where=QUEUED
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(120)),
        sa.Column("data", sa.JSON()),
        *_keys("audit", agent_id="agents"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])


def _keys(table: str, **to: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in to.items()
    ]


def downgrade() -> None:
    op.drop_index("ix_tickets_next", "tickets")
    with op.batch_alter_table("tickets") as table:
        table.drop_constraint(op.f("ck_tickets_holder"), type_="check")
        table.drop_constraint(op.f("ck_tickets_deadline"), type_="check")
        table.drop_constraint(op.f("fk_tickets_wanted_agent_id"), type_="foreignkey")
        for name, *_ in TICKETS:
            table.drop_column(name)
    with op.batch_alter_table("conversations") as table:
        table.drop_constraint(op.f("ck_conversations_owed"), type_="check")
        table.drop_constraint(op.f("ck_conversations_owner"), type_="check")
        for name, *_ in CONVERSATIONS:
            table.drop_column(name)
    with op.batch_alter_table("agents") as table:
        for name, *_ in AGENTS:
            table.drop_column(name)
    for table_name in ("audit", "notices", "lookers", "saved_replies", "ticket_events"):
        op.drop_table(table_name)
