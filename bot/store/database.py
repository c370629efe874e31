"""Connections, transactions and the clock. SQLite (WAL) by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import BigInteger, Connection, create_engine, event, make_url, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from bot.store.line import Line

MIGRATIONS = Path(__file__).parent / "migrations"


class StoreUnavailable(Exception):
    """The database cannot be reached or does not take part; the text says what to look at."""


class now_ms(FunctionElement[int]):
    """The store's clock inside a statement: milliseconds since the epoch, UTC."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"


@compiles(now_ms, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"


class Database:
    """A pool of connections to one store.

    Raises:
        StoreUnavailable: the database cannot be opened.
    """

    def __init__(self, url: str):
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 10}
        if self.is_sqlite:
            options = {"connect_args": {"timeout": 15, "check_same_thread": False}}
        self.engine = create_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._line = Line() if self.is_sqlite else None

    @contextmanager
    def transaction(self, *, ahead: bool = False) -> Iterator[Connection]:
        """A transaction that writes. On SQLite it takes the write lock at once: a transaction that
        reads first and asks for the lock later can be refused in the middle.

        Args:
            ahead: somebody outside waits for it to be answered; where writers stand in a line it
                goes before those for whom nobody does.
        """
        with self._turn(ahead), self._connect() as connection:
            connection.execution_options(rapport_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _turn(self, ahead: bool) -> Iterator[None]:
        with ExitStack() as stack:
            if self._line is not None:
                try:
                    stack.enter_context(self._line.turn(ahead=ahead))
                except TimeoutError as error:
                    raise StoreUnavailable(f"{self.url.database}: {error}") from error
            yield

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise StoreUnavailable(self._reason(error)) from error
        with connection:
            yield connection

    def now(self, connection: Connection) -> int:
        """The store's clock, in milliseconds since the epoch."""
        return int(connection.execute(select(now_ms())).scalar_one())

    def migrate(self) -> None:
        """Bring the tables up to date; a no-op when they are."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self._connect() as connection:
            config.attributes["connection"] = connection
            if self.is_sqlite:
                # A table that is built anew is dropped in between, while others point to it.
                self._foreign_keys(connection, on=False)
            else:
                # Two gateways may start at once; one migrates, the other waits and finds it done.
                connection.exec_driver_sql("SELECT pg_advisory_lock(727001)")
            try:
                command.upgrade(config, "head")
                connection.commit()
            finally:
                if self.is_sqlite:
                    connection.rollback()
                    self._foreign_keys(connection, on=True)
                else:
                    connection.exec_driver_sql("SELECT pg_advisory_unlock(727001)")
                    connection.commit()

    def _foreign_keys(self, connection: Connection, *, on: bool) -> None:
        """Outside a transaction, the only place where SQLite heeds it."""
        driver = connection.connection.driver_connection
        if on and driver.execute("PRAGMA foreign_key_check").fetchall():
            raise StoreUnavailable(f"{self.url.database}: rows point to rows that do not exist")
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")

    def close(self) -> None:
        self.engine.dispose()

    def _reason(self, error: Exception) -> str:
        where = self.url.render_as_string(hide_password=True)
        return f"cannot open the store {where}: {getattr(error, 'orig', error)}"


def is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique constraint said no (and not, say, a foreign key)."""
    words = str(error.orig).lower()
    return "unique" in words or "23505" in words


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is too late and too weak
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what is acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("rapport_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
