"""Channels with addresses: who writes from where, what was sent, who wants nothing sent."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CONVERSATIONS = [
    ("address", sa.String(80)),
    ("via", sa.String(80)),
    ("account", sa.String(40)),
    ("customer_id", ID),
]
OPEN = sa.text("state IN ('queued', 'unknown', 'held')")
TABLES = ("vendor_states", "sendings", "codes", "opt_outs", "addresses")


def upgrade() -> None:
    op.drop_table("follow_ups")  # tickets have had their own times since 0004
    op.create_table(
        "customers",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(120)),
        sa.Column("name", sa.String(100)),
        sa.Column("email", sa.String(254)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("subject", name=op.f("uq_customers_subject")),
    )
    for name, kind in CONVERSATIONS:
        op.add_column("conversations", sa.Column(name, kind))
    with op.batch_alter_table("conversations") as table:
        table.create_foreign_key(
            op.f("fk_conversations_customer_id"), "customers", ["customer_id"], ["id"]
        )
    op.create_index("ix_conversations_customer_id", "conversations", ["customer_id"])
    op.create_index("ix_conversations_address", "conversations", ["channel", "address"])
    op.drop_index("ix_deliveries_queued", "deliveries")
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["conversation_id", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    _addresses()
    _sent()


def _addresses() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("conversation_id", sa.String(32)),
        sa.Column("customer_id", ID),
        sa.Column("proven_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_addresses_channel_address")),
        *_keys("addresses", conversation_id="conversations", customer_id="customers"),
    )
    op.create_table(
        "opt_outs",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(200), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_opt_outs_address", "opt_outs", ["channel", "address", "id"])
    op.create_table(
        "codes",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        *_keys("codes", conversation_id="conversations"),
    )
    op.create_index("ix_codes_conversation_id", "codes", ["conversation_id"])
    op.create_index("ix_codes_address", "codes", ["channel", "address", "created_at"])


def _sent() -> None:
    op.create_table(
        "sendings",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("delivery_id", ID),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("via", sa.String(80)),
        sa.Column("account", sa.String(40)),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("vendor_id", sa.String(80)),
        sa.Column("error", sa.String(200)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("delivery_id", "part", name=op.f("uq_sendings_delivery_id_part")),
        *_keys("sendings", delivery_id="deliveries"),
    )
    op.create_index("ix_sendings_vendor_id", "sendings", ["channel", "vendor_id"])
    op.create_index("ix_sendings_address", "sendings", ["channel", "address", "created_at"])
    op.create_table(
        "vendor_states",
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("vendor_id", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(200)),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "vendor_id", name=op.f("pk_vendor_states")),
    )


def _keys(table: str, **to: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in to.items()
    ]


def downgrade() -> None:
    op.drop_index("ix_deliveries_open", "deliveries")
    queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_deliveries_queued",
        "deliveries",
        ["due_at"],
        sqlite_where=queued,
        postgresql_where=queued,
    )
    for table_name in TABLES:
        op.drop_table(table_name)
    op.drop_index("ix_conversations_address", "conversations")
    op.drop_index("ix_conversations_customer_id", "conversations")
    with op.batch_alter_table("conversations") as table:
        table.drop_constraint(op.f("fk_conversations_customer_id"), type_="foreignkey")
        for name, _ in CONVERSATIONS:
            table.drop_column(name)
    op.drop_table("customers")
    op.create_table(
        "follow_ups",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("conversation_id", sa.String(32), nullable=False),
        sa.Column("ticket_id", ID),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        *_keys("follow_ups", conversation_id="conversations", ticket_id="tickets"),
    )
    due = sa.text("done_at IS NULL")
    op.create_index(
        "ix_follow_ups_due", "follow_ups", ["due_at"], sqlite_where=due, postgresql_where=due
    )
