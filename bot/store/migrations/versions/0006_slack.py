"""Slack: what came from there, and what is to go there."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW = sa.text("state = 'new'")
OPEN = sa.text("state IN ('queued', 'unknown')")


def upgrade() -> None:
    op.create_table(
        "slack_inbox",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(200)),
        sa.UniqueConstraint("key", name=op.f("uq_slack_inbox_key")),
    )
    op.create_index(
        "ix_slack_inbox_new", "slack_inbox", ["due_at"], sqlite_where=NEW, postgresql_where=NEW
    )
    op.create_table(
        "slack_posts",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("thread_ts", sa.String(30), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("about", sa.JSON()),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.String(30)),
        sa.Column("error", sa.String(200)),
        sa.UniqueConstraint("key", name=op.f("uq_slack_posts_key")),
    )
    op.create_index("ix_slack_posts_thread", "slack_posts", ["channel", "thread_ts"])
    op.create_index(
        "ix_slack_posts_open", "slack_posts", ["due_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    op.drop_table("slack_posts")
    op.drop_table("slack_inbox")
