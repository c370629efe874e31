"""Who may work at the desk: passwords with argon2id, roles, sessions as hashed random tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.exc import IntegrityError

from bot.service.policy import ROLES
from bot.store import audit
from bot.store.database import Database
from bot.store.schema import agents, desk_sessions

SESSION_MILLISECONDS = 12 * 3600 * 1000  # a working day; used ones are prolonged
SHORTEST_PASSWORD = 10
AT_DESK = 180_000  # a page that looked so lately is open
MOST_GUESSES, MOST_FROM_ADDRESS = 5, 20
GUESSES_MILLISECONDS = 600_000
KNOWN_MILLISECONDS = 30 * 24 * 3600 * 1000
LISTS = ("skills", "queues", "languages")
_WORD = re.compile(r"[\w -]{1,40}")


@dataclass(frozen=True)
class Agent:
    """A person at the desk. ``queues`` None: all of them; ``capacity`` None: the usual one."""

    id: int
    email: str
    name: str
    role: str = "agent"
    skills: frozenset[str] = frozenset()
    queues: frozenset[str] | None = None
    languages: frozenset[str] = frozenset()
    capacity: int | None = None
    away: bool = False
    disabled: bool = False

    @property
    def first_name(self) -> str:
        """What customers see."""
        return self.name.split()[0] if self.name.split() else "A colleague"

    @property
    def leads(self) -> bool:
        """Whether the agent sees numbers and the audit."""
        return self.role in ("lead", "admin")


class Agents:
    """The agents of one store. Every method is its own transaction, and notes what it changed in
    the audit; ``by`` is who does it (None: the command line)."""

    def __init__(self, database: Database, on_session: Callable[[int], None] = lambda agent: None):
        self._database = database
        self._on_session = on_session  # told the agent's id after each log-in
        self._hasher = PasswordHasher()  # argon2id, the parameters of RFC 9106's second choice
        # Checked when the e-mail is unknown, so that the time taken does not tell who exists.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    # People.

    def add(
        self, email: str, name: str, password: str, role: str = "agent", *, by: int | None = None
    ) -> Agent:
        """Raises ValueError for a bad address or role, a short password, an e-mail that is taken."""
        email, role = _address(email), _role(role)
        hashed = self._hash(password)
        name = name.strip() or email.split("@")[0].replace(".", " ").title()
        try:
            with self._database.transaction() as tx:
                now = self._database.now(tx)
                row = tx.execute(
                    agents.insert()
                    .values(
                        email=email,
                        name=name[:100],
                        role=role,
                        password_hash=hashed,
                        created_at=now,
                    )
                    .returning(agents)
                ).one()
                audit.note(
                    tx, "agent.added", agent_id=by, subject=email, data={"role": role}, now=now
                )
        except IntegrityError as error:
            raise ValueError(f"{email} is an agent already") from error
        return _agent(row)

    def list(self) -> list[Agent]:
        with self._database.reading() as tx:
            return [_agent(row) for row in tx.execute(select(agents).order_by(agents.c.id))]

    def count(self) -> int:
        with self._database.reading() as tx:
            return int(tx.execute(select(func.count()).select_from(agents)).scalar_one())

    def get(self, agent_id: int) -> Agent | None:
        with self._database.reading() as tx:
            row = tx.execute(select(agents).where(agents.c.id == agent_id)).one_or_none()
        return _agent(row) if row else None

    def update(self, agent_id: int, *, by: int | None = None, **values: Any) -> Agent:
        """Change name, role, skills, queues, languages or capacity.

        Raises ValueError for a bad value, an unknown agent, or when no admin would be left.
        """
        changes = {name: _checked(name, value) for name, value in values.items()}
        with self._database.transaction() as tx:
            before = self._row(tx, agent_id)
            if changes.get("role", "admin") != "admin":
                self._keep_an_admin(tx, before)
            row = tx.execute(
                update(agents).where(agents.c.id == agent_id).values(**changes).returning(agents)
            ).one()
            changed = {key: new for key, new in changes.items() if getattr(before, key) != new}
            if changed:
                now = self._database.now(tx)
                audit.note(
                    tx, "agent.changed", agent_id=by, subject=row.email, data=changed, now=now
                )
        return _agent(row)

    def disable(self, email: str, *, by: int | None = None) -> None:
        """Nobody logs in as this agent any more; sessions end at once. Raises ValueError for an
        unknown e-mail and for the last admin."""
        with self._database.transaction() as tx:
            row = self._named(tx, email)
            self._keep_an_admin(tx, row)
            tx.execute(update(agents).where(agents.c.id == row.id).values(disabled=True))
            self._end_sessions(tx, row.id)
            now = self._database.now(tx)
            audit.note(tx, "agent.disabled", agent_id=by, subject=row.email, now=now)

    def enable(self, email: str, *, by: int | None = None) -> None:
        """Let an agent in again. Raises ValueError for an unknown e-mail."""
        with self._database.transaction() as tx:
            row = self._named(tx, email)
            tx.execute(update(agents).where(agents.c.id == row.id).values(disabled=False))
            now = self._database.now(tx)
            audit.note(tx, "agent.enabled", agent_id=by, subject=row.email, now=now)

    def set_away(self, agent_id: int, away: bool) -> None:
        """At the desk, or away for a while: who is away is given nothing and not counted."""
        with self._database.transaction() as tx:
            row = self._row(tx, agent_id)
            if row.away != away:
                tx.execute(update(agents).where(agents.c.id == agent_id).values(away=away))
                now = self._database.now(tx)
                action = "agent.away" if away else "agent.back"
                audit.note(tx, action, agent_id=agent_id, subject=row.email, now=now)

    # Passwords and sessions.

    def set_password(self, email: str, password: str, *, by: int | None = None) -> None:
        """Raises ValueError for an unknown e-mail or a short password. Ends all sessions."""
        hashed = self._hash(password)
        with self._database.transaction() as tx:
            row = self._named(tx, email)
            tx.execute(update(agents).where(agents.c.id == row.id).values(password_hash=hashed))
            self._end_sessions(tx, row.id)
            now = self._database.now(tx)
            audit.note(tx, "agent.password", agent_id=by, subject=row.email, now=now)

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
        return _agent(row) if row else None

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
            audit.note(tx, "logged_in", agent_id=agent_id, now=now)
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
        return _agent(row)

    def sessions(self, agent_id: int) -> list[Row[Any]]:
        """An agent's open sessions: created_at, seen_at; the latest used first."""
        with self._database.reading() as tx:
            now = self._database.now(tx)
            return list(
                tx.execute(
                    select(desk_sessions.c.created_at, desk_sessions.c.seen_at)
                    .where(desk_sessions.c.agent_id == agent_id, desk_sessions.c.expires_at > now)
                    .order_by(desk_sessions.c.seen_at.desc())
                )
            )

    def close_session(self, token: str) -> None:
        with self._database.transaction() as tx:
            tx.execute(desk_sessions.delete().where(desk_sessions.c.token_hash == _hash(token)))

    def close_sessions(self, agent_id: int, *, but: str = "", by: int | None = None) -> int:
        """End an agent's sessions everywhere, all but the one whose token is ``but``."""
        with self._database.transaction() as tx:
            ended = self._end_sessions(tx, agent_id, but=but)
            now = self._database.now(tx)
            email = self._row(tx, agent_id).email
            audit.note(tx, "agent.signed_out", agent_id=by, subject=email, now=now)
        return ended

    # Guessing. Counted in the store, so that neither a restart nor a second gateway forgets.

    def may_try(self, email: str, address: str) -> bool:
        """Whether a log-in from this address may be looked at after the wrong ones before it.

        Wrong passwords for an e-mail count from wherever they come; but not for an address from
        which that agent has logged in lately, so that a stranger who guesses cannot keep a
        colleague out.
        """
        pair, email, address = _keys(email, address)
        with self._database.reading() as tx:
            now = self._database.now(tx)
            since = now - GUESSES_MILLISECONDS
            known = audit.count(tx, "logged_in_from", pair, now - KNOWN_MILLISECONDS) > 0
            return (
                audit.count(tx, "login_failed", pair, since) < MOST_GUESSES
                and audit.count(tx, "login_failed.address", address, since) < MOST_FROM_ADDRESS
                and (known or audit.count(tx, "login_failed.email", email, since) < MOST_GUESSES)
            )

    def note_log_in(self, email: str, address: str, agent: Agent | None) -> None:
        """Remember how a log-in ended; e-mails and addresses are kept as hashes only."""
        pair, hashed, place = _keys(email, address)
        with self._database.transaction() as tx:
            now = self._database.now(tx)
            if agent is not None:
                audit.note(tx, "logged_in_from", agent_id=agent.id, subject=pair, now=now)
                return
            for action, subject in (
                ("login_failed", pair),
                ("login_failed.email", hashed),
                ("login_failed.address", place),
            ):
                audit.note(tx, action, subject=subject, now=now)

    # Within.

    def _end_sessions(self, tx: Connection, agent_id: int, but: str = "") -> int:
        mine = desk_sessions.c.agent_id == agent_id
        other = desk_sessions.c.token_hash != (_hash(but) if but else "")
        return tx.execute(desk_sessions.delete().where(mine, other)).rowcount

    def _keep_an_admin(self, tx: Connection, row: Row[Any]) -> None:
        others = select(func.count()).where(
            agents.c.role == "admin", agents.c.disabled.is_(False), agents.c.id != row.id
        )
        if row.role == "admin" and not tx.execute(others).scalar_one():
            raise ValueError(f"{row.email} is the last admin: make somebody else one first")

    def _row(self, tx: Connection, agent_id: int) -> Row[Any]:
        row = tx.execute(select(agents).where(agents.c.id == agent_id)).one_or_none()
        if row is None:
            raise ValueError("there is no such agent")
        return row

    def _named(self, tx: Connection, email: str) -> Row[Any]:
        email = _address(email)
        row = tx.execute(select(agents).where(agents.c.email == email)).one_or_none()
        if row is None:
            raise ValueError(f"{email} is no agent here; see: python -m bot agent list")
        return row

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


def new_password() -> str:
    """Four groups of four letters and digits that nobody mixes up: about 80 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


# Who is there, inside a caller's transaction.


def present(tx: Connection, now: int, within_milliseconds: int = AT_DESK) -> list[Row[Any]]:
    """Agents at the desk who take conversations: not away, no editors. Rows of ``agents``."""
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


def online(tx: Connection, now: int) -> int:
    """How many agents are at the desk."""
    return len(present(tx, now))


def works(tx: Connection, agent_id: int) -> bool:
    """Whether there is such an agent who may have conversations."""
    row = tx.execute(
        select(agents.c.disabled, agents.c.role).where(agents.c.id == agent_id)
    ).one_or_none()
    return row is not None and not row.disabled and row.role != "editor"


def colleagues(tx: Connection) -> list[Row[Any]]:
    """Whoever may have conversations, by name."""
    return list(
        tx.execute(
            select(agents)
            .where(agents.c.disabled.is_(False), agents.c.role != "editor")
            .order_by(agents.c.name)
        )
    )


def name_of(tx: Connection, agent_id: int) -> Any:
    return tx.execute(select(agents.c.name).where(agents.c.id == agent_id)).scalar_one_or_none()


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        row.id,
        row.email,
        row.name,
        role=row.role,
        skills=frozenset(row.skills or ()),
        queues=None if row.queues is None else frozenset(row.queues),
        languages=frozenset(row.languages or ()),
        capacity=row.capacity,
        away=row.away,
        disabled=row.disabled,
    )


def _checked(name: str, value: Any) -> Any:
    """A value as it is stored. Raises ValueError."""
    if name == "role":
        return _role(value)
    if name == "name":
        text = " ".join(str(value).split())[:100]
        if not text:
            raise ValueError("an agent has a name")
        return text
    if name == "capacity":
        if value is not None and not 1 <= int(value) <= 50:
            raise ValueError("the capacity is 1 to 50 conversations, or empty for the usual one")
        return None if value is None else int(value)
    if name in LISTS:
        return None if value is None else _words(name, value)
    raise ValueError(f"{name} cannot be changed here")


def _words(name: str, value: Iterable[str]) -> list[str]:
    found = sorted({" ".join(word.lower().split()) for word in value if word.strip()})
    for word in found:
        if not _WORD.fullmatch(word):
            raise ValueError(f"{name}: “{word[:40]}” is no name; separate them with commas")
    return found


def _role(role: str) -> str:
    if role not in ROLES:
        raise ValueError(f"a role is one of {', '.join(ROLES)}, not {role!r}")
    return role


def _address(email: str) -> str:
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,189}", email):
        raise ValueError(f"{email!r} is no e-mail address")
    return email


def _keys(email: str, address: str) -> tuple[str, str, str]:
    """Hashes of both together, of the e-mail and of the address."""
    email = email.strip().lower()[:254]
    return _hash(f"{email} {address}"), _hash(email), _hash(address)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
