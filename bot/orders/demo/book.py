"""The demo shop's file: SQLite, made whole or not at all, used by several processes at once."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from bot.orders import wire
from bot.orders.contract import Unavailable
from bot.orders.demo import seed as seeding
from bot.orders.demo.stories import BASE

FORMAT = 1
BUSY_SECONDS = 5
STALE_SECONDS = 600

# ``anchor``: the day that was today for the dates in ``body``; NULL where they are real ones.
_TABLES = """
CREATE TABLE shop (seed INTEGER NOT NULL);
CREATE TABLE orders (
    number TEXT PRIMARY KEY, customer_id TEXT NOT NULL, paid TEXT NOT NULL, anchor TEXT,
    body TEXT NOT NULL);
CREATE INDEX orders_of ON orders (customer_id);
CREATE TABLE customers (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, anchor TEXT, body TEXT NOT NULL);
CREATE TABLE gift_cards (code TEXT PRIMARY KEY, anchor TEXT, body TEXT NOT NULL);
CREATE TABLE stock (
    product TEXT NOT NULL, variant TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (product, variant));
CREATE TABLE effects (
    id INTEGER PRIMARY KEY, operation TEXT NOT NULL, about TEXT NOT NULL, body TEXT NOT NULL,
    at TEXT NOT NULL);
CREATE TABLE writes (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, done TEXT NOT NULL, at TEXT NOT NULL);
"""


class Book:
    """The file, and its connections. All of it blocks.

    Raises Unavailable where the file cannot be used, with what to do about it.
    """

    def __init__(self, path: Path, seed: int):
        self.path = path
        self.seed = seed
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._built = False
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the shop."""
        with self._transaction("BEGIN") as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that is the only one to write; all of it is kept, or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as tx:
            yield tx

    def close(self) -> None:
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._take()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._give(connection)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"the demo shop's file {self.path}: {error}") from error

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if not self._built or not self.path.exists():  # somebody may want a new one
                while self._idle:
                    self._idle.pop().close()
                self._build()
            if self._idle:
                return self._idle.pop()
        return _opened(self.path)

    def _give(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def _build(self) -> None:
        """Make the file where there is none; who comes second takes the first one's."""
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for rest in ("-wal", "-shm"):  # of a file that was deleted: it is not the new one's
                self.path.with_name(self.path.name + rest).unlink(missing_ok=True)
            _sweep(self.path)
            draft = self.path.with_name(f"{self.path.name}.{os.getpid()}-{id(self)}.building")
            try:
                _fill(draft, self.seed)
                _put(draft, self.path)
            finally:
                draft.unlink(missing_ok=True)
        with _closing(_connected(self.path)) as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise Unavailable(
                f"the demo shop's file {self.path} is of another version ({found}, not {FORMAT}): "
                "delete it, and a new one is made"
            )
        self._built = True


def body(value: Any) -> str:
    """A noun as it is stored: plain ASCII, whatever characters it has."""
    return json.dumps(wire.write(value))


def anchored(row_anchor: str | None, today: date) -> int:
    """By how many days what is stored with this anchor is to be moved."""
    return 0 if row_anchor is None else (today - date.fromisoformat(row_anchor)).days


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{_quoted(path)}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _opened(path: Path) -> sqlite3.Connection:
    connection = _connected(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file:")


def _fill(path: Path, seed: int) -> None:
    anchor = BASE.isoformat()
    accounts = seeding.customers(seed)
    with _closing(sqlite3.connect(path, isolation_level=None)) as tx:
        tx.execute("PRAGMA synchronous = OFF")  # it is synced as a whole, below
        tx.executescript(f"BEGIN; {_TABLES}")
        tx.execute("INSERT INTO shop VALUES (?)", (seed,))
        tx.executemany(
            "INSERT INTO customers VALUES (?, ?, ?, ?)",
            ((it.id, it.email.casefold(), anchor, body(it)) for _, it in accounts),
        )
        tx.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
            (
                (it.order.number, it.order.customer_id, it.paid, anchor, body(it.order))
                for it in seeding.orders(seed, accounts)
            ),
        )
        tx.executemany(
            "INSERT INTO gift_cards VALUES (?, ?, ?)",
            ((code, anchor, body(card)) for code, card in seeding.gift_cards(seed)),
        )
        tx.executemany("INSERT INTO stock VALUES (?, ?, ?)", seeding.stock(seed))
        tx.execute(f"PRAGMA user_version = {FORMAT}")
        tx.execute("COMMIT")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _put(draft: Path, path: Path) -> None:
    """Give the draft its name, unless another process was quicker."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            draft.replace(path)


def _sweep(path: Path) -> None:
    """Drafts of those that were killed while they built."""
    for draft in path.parent.glob(f"{path.name}.*.building*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > STALE_SECONDS:
                draft.unlink()
