"""Whose order it is: what was proven, and what was tried."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "codes", sa.Column("purpose", sa.String(80), server_default="continue", nullable=False)
    )
    op.create_table(
        "order_proofs",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column(
            "conversation_id", sa.String(32), sa.ForeignKey("conversations.id"), nullable=False
        ),
        sa.Column("order_number", sa.String(80), nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("conversation_id", "order_number", "how"),
    )
    op.create_table(
        "order_tries",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column(
            "conversation_id", sa.String(32), sa.ForeignKey("conversations.id"), nullable=False
        ),
        sa.Column("order_number", sa.String(80), nullable=False),
        sa.Column("detail_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_order_tries_number", "order_tries", ["order_number", "at"])
    op.create_index("ix_order_tries_detail", "order_tries", ["detail_hash", "at"])
    op.create_index("ix_order_tries_conversation", "order_tries", ["conversation_id", "at"])


def downgrade() -> None:
    op.drop_table("order_tries")
    op.drop_table("order_proofs")
    op.drop_column("codes", "purpose")
