"""The tables. Times are integers: milliseconds since the epoch, UTC, by the store's own clock."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
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
        "ck": "ck_%(table_name)s_%(constraint_name)s",
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
    Column("role", String(10), nullable=False, server_default=text("'agent'")),
    Column("skills", JSON),  # names; none: null
    Column("queues", JSON),  # those that the agent takes from; null: all
    Column("languages", JSON),
    Column("capacity", Integer),  # conversations at a time; null: as service.yml says
    Column("away", Boolean, nullable=False, server_default=text("false")),  # by the agent's choice
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

customers = Table(
    "customers",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("subject", String(120), unique=True),  # who it is at the shop, as its site has signed
    Column("name", String(100)),
    Column("email", String(254)),
    Column("created_at", BigInteger, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(20), nullable=False),  # on which the customer is answered
    Column("address", String(80)),  # the customer's on that channel; null: whoever has the token
    Column("via", String(80)),  # our own address that the customer wrote to
    Column("account", String(40)),  # of ours at the vendor
    Column("customer_id", _Id, ForeignKey("customers.id")),  # once it is proven who it is
    Column("token_hash", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("agent_id", _Id, ForeignKey("agents.id")),
    Column("ticket_id", _Id),  # the ticket that is open now
    Column("rating_ticket_id", _Id),  # the ticket whose rating is asked for
    Column("rating_until", BigInteger),
    Column("mood", JSON),
    Column("contact", String(254)),  # e-mail address at which the customer wants to be answered
    Column("language", String(10)),  # as the customer's browser says: en, de ...
    Column("seen_at", BigInteger),  # when the customer's page last looked
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("last_seq", Integer, nullable=False, server_default=text("0")),
    Column("lease_owner", String(120)),
    Column("lease_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # Exactly one owner: an agent exactly while a person has it, a ticket exactly while one is owed.
    CheckConstraint("(state = 'human') = (agent_id IS NOT NULL)", name="owner"),
    CheckConstraint("(state IN ('waiting', 'human')) = (ticket_id IS NOT NULL)", name="owed"),
    Index("ix_conversations_customer_id", "customer_id"),
    Index("ix_conversations_address", "channel", "address"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("channel", String(20), nullable=False),
    Column("address", String(80), nullable=False),
    Column("conversation_id", String(32), ForeignKey("conversations.id")),  # where it writes now
    Column("customer_id", _Id, ForeignKey("customers.id")),
    Column("proven_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("channel", "address"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("channel", String(20), nullable=False),
    Column("address", String(80), nullable=False),
    Column("stopped", Boolean, nullable=False),  # false: wants to be written to again
    Column("words", String(200), nullable=False),  # the customer's own, or the vendor's
    Column("source", String(20), nullable=False),  # customer, vendor
    Column("at", BigInteger, nullable=False),
    Index("ix_opt_outs_address", "channel", "address", "id"),
)

codes = Table(
    "codes",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("address", String(80), nullable=False),
    Column("purpose", String(80), nullable=False, server_default="continue"),  # or an order's
    Column("code_hash", String(64), nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index("ix_codes_conversation_id", "conversation_id"),
    Index("ix_codes_address", "channel", "address", "created_at"),
)

order_proofs = Table(
    "order_proofs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("order_number", String(80), nullable=False),
    Column("how", String(20), nullable=False),  # detail, code
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("conversation_id", "order_number", "how"),
)

order_tries = Table(
    "order_tries",  # wrong ones only
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("conversation_id", String(32), ForeignKey("conversations.id"), nullable=False),
    Column("order_number", String(80), nullable=False),
    Column("detail_hash", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_order_tries_number", "order_number", "at"),
    Index("ix_order_tries_detail", "detail_hash", "at"),
    Index("ix_order_tries_conversation", "conversation_id", "at"),
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
    Column("extra", JSON),  # sources, buttons, order; the rule that a customer's words set off
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
    Column("note", Text),  # of the hand-back
    Column("settled", Text),  # what the hand-back told the customer and the bot
    Column("priority_why", JSON),  # words, one for each reason
    Column("summary", JSON),  # asked, tried, answered, felt: the customer's and the bot's own words
    Column("tags", JSON),
    Column("also_in", JSON),  # queues it was widened to
    Column("wanted_agent_id", _Id, ForeignKey("agents.id")),  # who had it before, for a while
    Column("merged_into", _Id),
    Column("waiting_since", BigInteger),  # in the queue, since it last came there
    Column("customer_since", BigInteger),  # the customer's first message that no person answered
    Column("answered_at", BigInteger),  # a person's last words
    Column("first_answered_at", BigInteger),
    Column("snoozed_until", BigInteger),
    Column("promised_for", BigInteger),  # by when the customer was told to have an answer
    Column(
        "reminders", Integer, nullable=False, server_default=text("0")
    ),  # said since waiting_since
    Column("nudged_at", BigInteger),  # the agent was told that the customer waits
    Column("sla", String(60)),  # name of the policy
    Column("sla_due_at", BigInteger),  # of the clock that runs out first; null: all stand still
    Column("sla_clock", String(20)),
    Column("sla_warned", JSON),  # clocks that warned, for this run of theirs
    Column("sla_breached", JSON),  # clocks that ran out, ever
    Column("next_at", BigInteger),  # when the ticker looks at it again
    Column("asked_rating_at", BigInteger),
    Column("handled_by", String(10)),  # bot, person, both: as it was when the rating was asked for
    Column("rating", Integer),
    Column("rating_comment", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("rated_at", BigInteger),
    # No open ticket without a time at which something is done about it.
    CheckConstraint("state NOT IN ('waiting', 'human') OR next_at IS NOT NULL", name="deadline"),
    CheckConstraint("state <> 'human' OR agent_id IS NOT NULL", name="holder"),
    Index("ix_tickets_conversation_id", "conversation_id"),
    Index("ix_tickets_state", "state", "closed_at"),
    Index(
        "ix_tickets_next",
        "next_at",
        sqlite_where=text("state IN ('waiting', 'human')"),
        postgresql_where=text("state IN ('waiting', 'human')"),
    ),
)

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("ticket_id", _Id, ForeignKey("tickets.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),  # bot.service.history has them all
    Column("agent_id", _Id, ForeignKey("agents.id")),  # who did it; null: the customer, the service
    Column("data", JSON),
    Index("ix_ticket_events_ticket_id", "ticket_id"),
    Index("ix_ticket_events_kind", "kind", "at"),
)

saved_replies = Table(
    "saved_replies",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("text", Text, nullable=False),  # may hold {customer}, {agent}, {number}, {order}
    Column("changed_by", _Id, ForeignKey("agents.id")),
    Column("changed_at", BigInteger, nullable=False),
)

lookers = Table(
    "lookers",
    metadata,
    Column("agent_id", _Id, ForeignKey("agents.id"), primary_key=True),
    Column("ticket_id", _Id, ForeignKey("tickets.id"), primary_key=True),
    Column("writing", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("sink", String(20), nullable=False),  # mail, slack, webhook, customer_mail
    Column("kind", String(40), nullable=False),  # ticket.waiting, ticket.warned, ...
    Column("ticket_id", _Id, ForeignKey("tickets.id")),
    Column("payload", JSON, nullable=False),
    Column("state", String(10), nullable=False),  # queued, sent, failed
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("error", String(200)),
    Index(
        "ix_notices_queued",
        "due_at",
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("agent_id", _Id, ForeignKey("agents.id")),
    Column("action", String(40), nullable=False),  # logged_in, agent.disabled, reply.saved ...
    Column("subject", String(120)),
    Column("data", JSON),
    Index("ix_audit_at", "at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("message_id", _Id, ForeignKey("messages.id"), nullable=False, unique=True),
    Column("conversation_id", String(32), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("state", String(10), nullable=False),  # queued, held, sent, failed, unknown
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("error", String(200)),
    Index(
        "ix_deliveries_open",
        "conversation_id",
        "id",
        sqlite_where=text("state IN ('queued', 'unknown', 'held')"),
        postgresql_where=text("state IN ('queued', 'unknown', 'held')"),
    ),
)

sendings = Table(
    "sendings",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("delivery_id", _Id, ForeignKey("deliveries.id")),  # null: a code, which is no message
    Column("part", Integer, nullable=False),  # 0, 1 ...: a long message leaves as several
    Column("channel", String(20), nullable=False),
    Column("address", String(80), nullable=False),
    Column("via", String(80)),
    Column("account", String(40)),
    Column("text", Text, nullable=False),  # as it left; empty for a code
    Column("segments", Integer, nullable=False),
    Column("state", String(12), nullable=False),  # sending, unknown, taken, refused
    Column("vendor_id", String(80)),
    Column("error", String(200)),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("delivery_id", "part"),
    Index("ix_sendings_vendor_id", "channel", "vendor_id"),
    Index("ix_sendings_address", "channel", "address", "created_at"),
)

vendor_states = Table(
    "vendor_states",
    metadata,
    # What the vendor says of a message; it may say so before we know the message's id.
    Column("channel", String(20), primary_key=True),
    Column("vendor_id", String(80), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("rank", Integer, nullable=False),  # states only go up
    Column("error", String(200)),
    Column("at", BigInteger, nullable=False),
)

slack_inbox = Table(
    "slack_inbox",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, unique=True),  # what makes it the same
    Column("kind", String(20), nullable=False),  # event, command, action
    Column("payload", JSON, nullable=False),
    Column("state", String(10), nullable=False),  # new, done, failed
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("error", String(200)),
    Index(
        "ix_slack_inbox_new",
        "due_at",
        sqlite_where=text("state = 'new'"),
        postgresql_where=text("state = 'new'"),
    ),
)

slack_posts = Table(
    "slack_posts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("channel", String(20), nullable=False),
    Column("thread_ts", String(30), nullable=False),
    Column("payload", JSON, nullable=False),  # text and blocks
    Column("about", JSON),  # question and answer, for what is asked next in the thread
    Column("state", String(10), nullable=False),  # queued, sent, unknown, failed
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ts", String(30)),  # Slack's id of it, once it is there
    Column("error", String(200)),
    Index("ix_slack_posts_thread", "channel", "thread_ts"),
    Index(
        "ix_slack_posts_open",
        "due_at",
        sqlite_where=text("state IN ('queued', 'unknown')"),
        postgresql_where=text("state IN ('queued', 'unknown')"),
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
