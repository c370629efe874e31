"""A PostgreSQL server for the tests: its own folder, its own port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import uuid
from pathlib import Path

import pg8000.dbapi


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if (Path(folder) / "initdb").exists():
            return Path(folder)
    return None


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A database cluster in ``folder``."""

    def __init__(self, binaries: Path, folder: Path):
        self._binaries = binaries
        self._folder = folder
        self.port = free_port()

    def start(self) -> None:
        # PostgreSQL refuses to run as root; Debian's package brings a user for it.
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", "data", "-U", "rapport", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 "
            "-c fsync=off -c max_connections=200"
        )
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop", check=False)

    def create_database(self, template: str = "template1") -> str:
        """The URL of a new database, empty or a copy of another one."""
        name = f"test_{uuid.uuid4().hex}"
        connection = pg8000.dbapi.connect(
            user="rapport", host="127.0.0.1", port=self.port, database="postgres"
        )
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        connection.close()
        return f"postgresql://rapport@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            command = [
                "setpriv",
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                *command,
            ]
        subprocess.run(
            command,
            cwd=self._folder,
            check=check,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
