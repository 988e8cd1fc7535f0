"""PostgreSQL of the machine's own packages: a cluster of its own, on 127.0.0.1, in the sandbox."""

import glob
import os
import shutil
import signal
import tempfile

from rig.process import Daemon, run

ROLE, PASSWORD = "reports", "geheim"
PORT = 5433
_SETTINGS = ("listen_addresses=127.0.0.1", f"port={PORT}", "fsync=off", "max_connections=40")


class Postgres:
    """A running server; `database` makes an empty database and gives its URL."""

    def __init__(self) -> None:
        [self._bin] = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]
        self._directory = tempfile.mkdtemp(prefix="postgres-", dir="/var/lib")
        shutil.chown(self._directory, "postgres", "postgres")
        self._databases = 0

    def start(self) -> None:
        """Make the cluster, and start it."""
        password = os.path.join(self._directory, "password")
        with open(password, "w") as file:
            file.write(PASSWORD)
        shutil.chown(password, "postgres")
        data = os.path.join(self._directory, "data")
        log_in = ["--username", ROLE, "--pwfile", password, "--auth", "scram-sha-256"]
        made = ["--pgdata", data, "--no-sync", "--locale", "C.UTF-8", "--encoding", "UTF8"]
        run(*self._as_postgres("initdb"), *made, *log_in)
        self.resume()

    def resume(self) -> None:
        """Start the cluster that has been made."""
        data = os.path.join(self._directory, "data")
        argv = self._as_postgres("postgres") + ["-D", data, "-k", self._directory]
        for setting in _SETTINGS:
            argv += ["-c", setting]
        self._daemon = Daemon(argv, os.path.join(self._directory, "log"))
        # It listens a while before it lets anybody in.
        self._daemon.wait_until(self._is_ready, "lets clients in")

    def stop(self) -> None:
        """End the server, whoever is connected; its files go with the sandbox."""
        self._daemon.stop(signal.SIGINT)

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"mtasts{self._databases}"
        self.psql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database."""
        return f"postgresql://{ROLE}:{PASSWORD}@127.0.0.1:{PORT}/{name}"

    def psql(self, database: str, command: str) -> str:
        """Do what `command` says, and return what it prints."""
        connection = ["--host", "127.0.0.1", "--port", str(PORT), "--username", ROLE]
        quiet = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]
        argv = ["psql", *connection, *quiet, "--dbname", database, "--command", command]
        return run(*argv, env={"PGPASSWORD": PASSWORD}).output

    def _is_ready(self) -> bool:
        asked = os.path.join(self._bin, "pg_isready")
        return run(asked, "--host", "127.0.0.1", "--port", str(PORT), check=False).code == 0

    def _as_postgres(self, program: str) -> list:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + [
            os.path.join(self._bin, program)
        ]
