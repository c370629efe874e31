"""What all tests share: databases of both kinds, free ports, and the whole system in processes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.store import agents, schema
from bot.store.database import Database
from tests.postgres import Cluster, find_binaries
from tests.system import System

ROOT = Path(__file__).resolve().parent.parent

# A desk that is always open: what customers are told shall not depend on the time of day.
os.environ["SERVICE_FILE"] = str(ROOT / "tests" / "data" / "service.yml")


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """The commands make files for nobody else's eyes; the next test shall not inherit that."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords in this process are hashed as cheaply as argon2id allows: tests try who gets in, and
    the shipped cost, which one test looks at, would be most of their time."""

    def quick() -> PasswordHasher:
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agents, "PasswordHasher", quick)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of our own, thrown away afterwards. In CI it must be there; elsewhere tests that
    need it are skipped with a reason."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL's server is not installed; .ci/run installs it")
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="rapport-pg-"))
    cluster = Cluster(binaries, folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite store to copy: quicker than to migrate one for each test."""
    path = tmp_path_factory.mktemp("template") / "rapport.db"
    template = Database(f"sqlite:///{path}")
    template.migrate()
    with template.reading() as tx:
        tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    template.close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Cluster) -> str:
    """Name of a migrated, empty database to copy."""
    url = postgres.create_database()
    template = Database(store_url(url))
    template.migrate()
    template.close()
    return url.rsplit("/", 1)[1]


def store_url(url: str) -> str:
    """The URL with the driver that the gateway uses."""
    return url.replace("postgresql://", "postgresql+pg8000://")


@pytest.fixture(scope="module")
def shared_postgres(postgres: Cluster, migrated_postgres: str) -> str:
    """The URL of a migrated database for a module's tests, one after the other: to empty one takes a
    tenth of the time that it takes to copy one."""
    return store_url(postgres.create_database(migrated_postgres))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty store with its tables, once of each kind. Its rows may be changed, not its tables."""
    if request.param == "sqlite":
        database = Database(sqlite_copy(request, tmp_path))
    else:
        database = Database(request.getfixturevalue("shared_postgres"))
        empty(database)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def own_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """The same, but nobody else's: its tables may be changed, too."""
    if request.param == "sqlite":
        url = sqlite_copy(request, tmp_path)
    else:
        template = request.getfixturevalue("migrated_postgres")
        url = store_url(request.getfixturevalue("postgres").create_database(template))
    database = Database(url)
    yield database
    database.close()


def sqlite_copy(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a migrated, empty store in a folder."""
    path = folder / "rapport.db"
    shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


def empty(database: Database) -> None:
    """Take out every row of a store on PostgreSQL, and number from 1 again."""
    with database.transaction() as tx:
        for table in reversed(schema.metadata.sorted_tables):
            tx.execute(table.delete())
        for name in tx.exec_driver_sql("SELECT sequencename FROM pg_sequences").scalars().all():
            tx.exec_driver_sql(f"ALTER SEQUENCE {name} RESTART")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Supervisor, gateway and engine as a user runs them, on SQLite; shared by the session."""
    with System(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(scope="session")
def postgres_system(
    postgres: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """The same on PostgreSQL: store and tracker store."""
    with System(
        tmp_path_factory.mktemp("postgres-system"),
        DATABASE_URL=postgres.create_database(),
        TRACKER_DATABASE_URL=postgres.create_database(),
    ) as system:
        yield system


@pytest.fixture(params=["system", "postgres_system"], ids=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> System:
    """The running system, once on each store."""
    return request.getfixturevalue(request.param)
