"""Who may work at the desk: passwords with argon2id, sessions as hashed random tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.schema import agents, desk_sessions

SESSION_MILLISECONDS = 12 * 3600 * 1000  # a working day; used ones are prolonged
SHORTEST_PASSWORD = 10


@dataclass(frozen=True)
class Agent:
    """A person at the desk."""

    id: int
    email: str
    name: str

    @property
    def first_name(self) -> str:
        """What customers see."""
        return self.name.split()[0] if self.name.split() else "A colleague"


class Agents:
    """The agents of one store. Every method is its own transaction."""

    def __init__(self, database: Database, on_session: Callable[[int], None] = lambda agent: None):
        self._database = database
        self._on_session = on_session  # told the agent's id after each log-in
        self._hasher = PasswordHasher()  # argon2id, the parameters of RFC 9106's second choice
        # Checked when the e-mail is unknown, so that the time taken does not tell who exists.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def add(self, email: str, name: str, password: str) -> Agent:
        """Raises ValueError for a bad address, a short password or an e-mail that is taken."""
        email = _address(email)
        hashed = self._hash(password)
        name = name.strip() or email.split("@")[0].replace(".", " ").title()
        try:
            with self._database.transaction() as tx:
                agent_id = tx.execute(
                    agents.insert()
                    .values(
                        email=email,
                        name=name[:100],
                        password_hash=hashed,
                        created_at=self._database.now(tx),
                    )
                    .returning(agents.c.id)
                ).scalar_one()
        except IntegrityError as error:
            raise ValueError(f"{email} is an agent already") from error
        return Agent(agent_id, email, name[:100])

    def list(self) -> list[Agent]:
        with self._database.reading() as tx:
            rows = tx.execute(select(agents).order_by(agents.c.id))
            return [Agent(row.id, row.email, row.name) for row in rows]

    def count(self) -> int:
        with self._database.reading() as tx:
            return int(tx.execute(select(func.count()).select_from(agents)).scalar_one())

    def set_password(self, email: str, password: str) -> None:
        """Raises ValueError for an unknown e-mail or a short password. Ends all sessions."""
        hashed = self._hash(password)
        with self._database.transaction() as tx:
            agent_id = tx.execute(
                update(agents)
                .where(agents.c.email == _address(email))
                .values(password_hash=hashed)
                .returning(agents.c.id)
            ).scalar_one_or_none()
            if agent_id is None:
                raise ValueError(f"{email} is no agent here; see: python -m bot agent list")
            tx.execute(desk_sessions.delete().where(desk_sessions.c.agent_id == agent_id))

    def authenticate(self, email: str, password: str) -> Agent | None:
        """The agent whose e-mail and password these are, or None."""
        with self._database.reading() as tx:
            row = tx.execute(
                select(agents).where(
                    agents.c.email == email.strip().lower(), agents.c.disabled.is_(False)
                )
            ).one_or_none()
        try:
            self._hasher.verify(row.password_hash if row else self._nobody, password)
        except VerificationError:
            return None
        return Agent(row.id, row.email, row.name) if row else None

    def open_session(self, agent_id: int) -> str:
        """A new session's token; only its hash is stored."""
        token = secrets.token_urlsafe(32)
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            tx.execute(desk_sessions.delete().where(desk_sessions.c.expires_at < now))
            tx.execute(
                desk_sessions.insert().values(
                    token_hash=_hash(token),
                    agent_id=agent_id,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + SESSION_MILLISECONDS,
                )
            )
        self._on_session(agent_id)
        return token

    def agent_of_session(self, token: str) -> Agent | None:
        with self._database.reading() as tx:
            now = self._database.now(tx)
            row = tx.execute(
                select(agents, desk_sessions.c.seen_at)
                .join(desk_sessions, desk_sessions.c.agent_id == agents.c.id)
                .where(
                    desk_sessions.c.token_hash == _hash(token),
                    desk_sessions.c.expires_at > now,
                    agents.c.disabled.is_(False),
                )
            ).one_or_none()
        if row is None:
            return None
        if now - row.seen_at > 60_000:
            self._prolong(token, now)
        return Agent(row.id, row.email, row.name)

    def close_session(self, token: str) -> None:
        with self._database.transaction() as tx:
            tx.execute(desk_sessions.delete().where(desk_sessions.c.token_hash == _hash(token)))

    def _prolong(self, token: str, now: int) -> None:
        with self._database.transaction() as tx:
            tx.execute(
                update(desk_sessions)
                .where(desk_sessions.c.token_hash == _hash(token))
                .values(seen_at=now, expires_at=now + SESSION_MILLISECONDS)
            )

    def _hash(self, password: str) -> str:
        if len(password) < SHORTEST_PASSWORD:
            raise ValueError(f"a password needs at least {SHORTEST_PASSWORD} characters")
        return self._hasher.hash(password)


def online(tx: Connection, now: int, within_milliseconds: int = 180_000) -> int:
    """How many agents were at the desk in the last minutes."""
    statement = select(func.count(func.distinct(desk_sessions.c.agent_id))).where(
        desk_sessions.c.expires_at > now, desk_sessions.c.seen_at > now - within_milliseconds
    )
    return int(tx.execute(statement).scalar_one())


def _address(email: str) -> str:
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,189}", email):
        raise ValueError(f"{email!r} is no e-mail address")
    return email


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def name_of(tx: Connection, agent_id: int) -> Any:
    return tx.execute(select(agents.c.name).where(agents.c.id == agent_id)).scalar_one_or_none()


def present(tx: Connection, now: int, within_milliseconds: int = 180_000) -> list[Any]:
    """Agents at the desk who take conversations: id, name, queues, skills, languages, capacity."""
    at_desk = select(desk_sessions.c.agent_id).where(
        desk_sessions.c.expires_at > now, desk_sessions.c.seen_at > now - within_milliseconds
    )
    return list(
        tx.execute(
            select(agents)
            .where(
                agents.c.id.in_(at_desk),
                agents.c.disabled.is_(False),
                agents.c.away.is_(False),
                agents.c.role != "editor",
            )
            .order_by(agents.c.id)
        )
    )


def works(tx: Connection, agent_id: int) -> bool:
    """Whether there is such an agent who may have conversations."""
    row = tx.execute(
        select(agents.c.disabled, agents.c.role).where(agents.c.id == agent_id)
    ).one_or_none()
    return row is not None and not row.disabled and row.role != "editor"
