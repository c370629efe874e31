"""Customers by address: who writes from where, and who wants nothing sent. Each statement inside a
caller's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bot.store.schema import addresses, codes, conversations, customers, opt_outs


def lock(tx: Connection, channel: str, address: str, now: int) -> Row[Any]:
    """The address's row, made if there is none, locked until the transaction ends: of two first
    messages one opens the conversation and the other joins it."""
    insert = insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql
    tx.execute(
        insert(addresses)
        .values(channel=channel, address=address, created_at=now)
        .on_conflict_do_nothing(index_elements=["channel", "address"])
    )
    return tx.execute(_at(channel, address).with_for_update()).one()


def at(tx: Connection, channel: str, address: str) -> Row[Any] | None:
    return tx.execute(_at(channel, address)).one_or_none()


def _at(channel: str, address: str) -> Any:
    return select(addresses).where(addresses.c.channel == channel, addresses.c.address == address)


def change(tx: Connection, address_id: int, **values: Any) -> None:
    tx.execute(update(addresses).where(addresses.c.id == address_id).values(**values))


# Who wants nothing sent. Rows are only ever added: the ledger of what was asked for, and when.


def note_opt_out(
    tx: Connection, channel: str, address: str, *, stopped: bool, words: str, source: str, now: int
) -> bool:
    """Write down that somebody wants no more messages, or wants them again; false when that is how
    it stands already."""
    if stopped_at(tx, channel, address) == stopped:
        return False
    tx.execute(
        opt_outs.insert().values(
            channel=channel,
            address=address,
            stopped=stopped,
            words=words[:200],
            source=source,
            at=now,
        )
    )
    return True


def stopped_at(tx: Connection, channel: str, address: str) -> bool:
    """Whether nothing may be sent to this address."""
    latest = (
        select(opt_outs.c.stopped)
        .where(opt_outs.c.channel == channel, opt_outs.c.address == address)
        .order_by(opt_outs.c.id.desc())
        .limit(1)
    )
    return bool(tx.execute(latest).scalar())


# One person, several addresses.


def customer_of_subject(
    tx: Connection, subject: str, *, name: str | None, email: str | None, now: int
) -> int:
    """The customer whom the shop knows by this subject, made if there is none; name and e-mail
    address as the shop has them now."""
    insert = insert_sqlite if tx.dialect.name == "sqlite" else insert_postgresql
    values = {"name": name, "email": email}
    statement = (
        insert(customers)
        .values(subject=subject, created_at=now, **values)
        .on_conflict_do_update(
            index_elements=["subject"],
            set_={key: it for key, it in values.items() if it} or {"subject": subject},
        )
        .returning(customers.c.id)
    )
    return int(tx.execute(statement).scalar_one())


def new_customer(tx: Connection, now: int) -> int:
    """A customer of whom nothing is known but an address."""
    statement = customers.insert().values(created_at=now).returning(customers.c.id)
    return int(tx.execute(statement).scalar_one())


def customer(tx: Connection, customer_id: int) -> Row[Any] | None:
    return tx.execute(select(customers).where(customers.c.id == customer_id)).one_or_none()


def addresses_of(tx: Connection, customer_id: int) -> list[Row[Any]]:
    """The proven addresses of a customer."""
    return list(
        tx.execute(
            select(addresses)
            .where(addresses.c.customer_id == customer_id, addresses.c.proven_at.is_not(None))
            .order_by(addresses.c.id)
        )
    )


def same_person(tx: Connection, of: int, is_also: int) -> None:
    """Everything of one customer is another's from now on: both are the same person."""
    for table in (conversations, addresses):
        tx.execute(update(table).where(table.c.customer_id == is_also).values(customer_id=of))


# Codes that prove an address.


def add_code(tx: Connection, **values: Any) -> int:
    statement = codes.insert().values(**values).returning(codes.c.id)
    return int(tx.execute(statement).scalar_one())


CONTINUE = "continue"
"""The purpose of a code by which a conversation goes on at another address."""


def latest_code(tx: Connection, conversation_id: str, purpose: str = CONTINUE) -> Row[Any] | None:
    return tx.execute(
        select(codes)
        .where(codes.c.conversation_id == conversation_id, codes.c.purpose == purpose)
        .order_by(codes.c.id.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def change_code(tx: Connection, code_id: int, **values: Any) -> None:
    tx.execute(update(codes).where(codes.c.id == code_id).values(**values))


def codes_since(tx: Connection, since: int, *, conversation_id: str = "", address: str = "") -> int:
    """How many codes were sent since a moment for a conversation, or to an address."""
    where = [codes.c.created_at > since]
    if conversation_id:
        where.append(codes.c.conversation_id == conversation_id)
    if address:
        where.append(codes.c.address == address)
    return len(tx.execute(select(codes.c.id).where(*where)).all())
