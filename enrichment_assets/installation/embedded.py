"""The embedded Postgres: one server per data directory, started on demand, stopped on purpose.

Only the life-cycle is here; where the files are is in `postgres_home.py`, which databases it holds in `database.py`.
Nothing counts references: the server outlives the process that started it and `stop` ends it. A lock file per data
directory keeps racing starts apart, an answer on the socket is the only proof of life, and a process id is believed
only after the process has been looked at, for after a crash or a reboot the number may belong to a stranger.
The server listens on a Unix socket in a private folder and on no TCP port, so two homes cannot clash.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.home import HOME_ID
from enrichment_assets.installation import postgres_home

SUPERUSER = "postgres"
PORT = 5432
"""Only names the socket file; nothing listens on TCP."""

_SERVER_SETTINGS = """
# Written by enrichment-assets when this data directory was made.
shared_buffers = 256MB
max_connections = 200
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
jit = off
"""

_UNSAFE_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 128MB
wal_compression = off
"""

_PASSED_ON = ("PATH", "HOME", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""The server gets no other variable: the environment holds our providers' keys."""

_NO_PROCESS = ("", "")


class LocalPostgres:
    """The life-cycle of the server of one data directory.

    Args:
        data_dir: The wanted data directory. Root keeps it elsewhere if the server's user cannot reach it: see
            `data_dir` of the object for where it is.
        durable: False only for tests: a crash of the machine may then lose data.
        state_dir: Where root keeps it.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, state_dir: Path = postgres_home.STATE_DIR) -> None:
        self._wanted = data_dir
        self.data_dir, self._user = postgres_home.choose_data_dir(data_dir, state_dir)
        self._state_dir = state_dir
        self.socket_dir = postgres_home.choose_socket_dir(self.data_dir)
        self._durable = durable
        self._known_bindir: Path | None = None

    def url(self, database: str) -> str:
        """URL (libpq) of a database on this server, good for psycopg 2 and 3, SQLAlchemy and DuckDB."""
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self.socket_dir))}&port={PORT}"

    @property
    def log_file(self) -> Path:
        """What the server writes."""
        return self.data_dir / "server.log"

    @property
    def _lock_file(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.lock")

    @property
    def exists(self) -> bool:
        """True when the data directory has been made."""
        return (self.data_dir / "PG_VERSION").exists()

    def is_ready(self) -> bool:
        """True when the server answers on its socket and accepts connections (`pg_isready`).

        Raises:
            InfrastructureError: The socket's folder is somebody else's, so whoever answers there is not our server.
        """
        if self.socket_dir != self.data_dir and os.path.lexists(self.socket_dir):
            postgres_home.check_socket_dir(self.socket_dir, self._user)
        where = ["-q", "-h", str(self.socket_dir), "-p", str(PORT), "-U", SUPERUSER]
        return self._run("pg_isready", *where).returncode == 0

    def start(self, *, timeout: float = 300.0) -> bool:
        """Make sure that the server runs, creating its data directory the first time.

        Args:
            timeout: Seconds to wait for it to accept connections, recovery after a crash included.

        Returns:
            True when this call started it, False when it already ran.

        Raises:
            InfrastructureError: It does not start, or is not ready in time.
        """
        deadline = time.monotonic() + timeout
        with self._locked():
            if self.is_ready():
                return False
            if not self.exists:
                self._create()
            self._check_version()
            if self.socket_dir != self.data_dir:
                postgres_home.secure_socket_dir(self.socket_dir, self._user)
            return self._bring_up(deadline)

    def stop(self, *, timeout: float = 60.0) -> bool:
        """Stop the server; open sessions are cut off, committed data is flushed.

        Returns:
            True when it ran.

        Raises:
            InfrastructureError: It is still there after `timeout` seconds.
        """
        if not self.exists:
            return False
        with self._locked():
            if self.server_pid() is None:
                return False
            answer = self._run("pg_ctl", "stop", "-w", "-m", "fast", "-t", str(int(timeout)), "-D", str(self.data_dir))
            if answer.returncode != 0 and self.server_pid() is not None:
                raise InfrastructureError(
                    f"The embedded Postgres does not stop: {_last_line(answer.stderr)}", code="postgres.not_stopped"
                )
            if self.socket_dir != self.data_dir:
                shutil.rmtree(self.socket_dir, ignore_errors=True)
            return True

    def remove(self) -> None:
        """Stop the server and delete its data for good: for homes that are temporary themselves.

        Deleting only the home would leave the data behind where root keeps it elsewhere.
        """
        self.stop()
        if self.data_dir.is_relative_to(self._state_dir):
            shutil.rmtree(self.data_dir.parent, ignore_errors=True)
            (self._wanted.parent / HOME_ID).unlink(missing_ok=True)
            return
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self._lock_file.unlink(missing_ok=True)

    def server_pid(self) -> int | None:
        """Process id of this directory's living server, or None. A stranger, or a zombie, is not believed."""
        pid = self._pid_on_file()
        return pid if pid is not None and self._serves_here(pid) else None

    def _bring_up(self, deadline: float) -> bool:
        """Start if nothing serves the directory, and wait. The caller holds the lock."""
        started = False
        while time.monotonic() < deadline:
            if self.is_ready():
                return started
            if self.server_pid() is None:
                self._clear_stale_files()
                started = self._launch(deadline) or started
            time.sleep(0.05)
        raise InfrastructureError(
            f"The embedded Postgres is not ready in time; its log is {self.log_file}.", code="postgres.not_ready"
        )

    def _launch(self, deadline: float) -> bool:
        """Run `pg_ctl start`; False when it has to be tried again."""
        options = f"-k {shlex.quote(str(self.socket_dir))} -p {PORT} -c listen_addresses="
        patience = max(1, int(deadline - time.monotonic()))
        where = ["-D", str(self.data_dir), "-l", str(self.log_file)]
        log_before = self.log_file.stat().st_size if self.log_file.exists() else 0
        answer = self._run("pg_ctl", "start", "-w", "-t", str(patience), *where, "-o", options)
        if answer.returncode == 0 or self.server_pid() is not None:
            return True
        said = self._log_since(log_before)
        if "still in use" in said:  # back ends of a killed server are on their way out
            return False
        raise InfrastructureError(
            f"The embedded Postgres does not start: {_last_line(said or answer.stderr)} (its log is {self.log_file})",
            code="postgres.not_started",
        )

    # opens files of ours: the home's
    def _create(self) -> None:
        """Run `initdb` aside and rename, so that a half-made directory is never taken for a database."""
        aside = self.data_dir.with_name(f"{self.data_dir.name}.new")
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(mode=0o700)
        if self._user:
            os.chown(aside, self._user.uid, self._user.gid)
        options = ["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", *self._locale_options()]
        if not self._durable:
            options.append("--no-sync")
        answer = self._run("initdb", "-D", str(aside), *options)
        if answer.returncode != 0:
            raise InfrastructureError(
                f"The embedded database cannot be made: {_last_line(answer.stderr)}", code="postgres.not_makeable"
            )
        with (aside / "postgresql.conf").open("a") as file:
            file.write(_SERVER_SETTINGS if self._durable else _SERVER_SETTINGS + _UNSAFE_SETTINGS)
        aside.rename(self.data_dir)

    def _locale_options(self) -> list[str]:
        """Sort by code point, know the cases of all letters, and depend on no locale of the machine."""
        if postgres_home.major_version(self._bindir) >= 17:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C.UTF-8"]

    def _check_version(self) -> None:
        made_by = int((self.data_dir / "PG_VERSION").read_text())
        have = postgres_home.major_version(self._bindir)
        if made_by != have:
            raise InfrastructureError(
                f"{self.data_dir} was made by Postgres {made_by}, but Postgres {have} is installed: install "
                f"version {made_by}, or dump with it and load into a new ENRICH_HOME.",
                code="postgres.other_version",
            )

    def _pid_on_file(self) -> int | None:
        try:
            return int((self.data_dir / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def _clear_stale_files(self) -> None:
        """Remove what a dead server left and over which Postgres itself would stumble.

        Postgres replaces the files of a dead process by itself. It refuses to start when the number in them lives on
        as a stranger or a zombie, or when a file is empty; we know better, for we looked. Nobody else puts sockets
        into our folder.
        """
        pid = self._pid_on_file()
        if pid is None or _look_at_process(pid) != _NO_PROCESS:
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        for left in self.socket_dir.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _serves_here(self, pid: int) -> bool:
        state, command = _look_at_process(pid)
        return state != "Z" and "postgres" in command and str(self.data_dir) in command

    @property
    def _bindir(self) -> Path:
        if self._known_bindir is None:
            self._known_bindir = postgres_home.find_binaries(self._user, self._state_dir)
        return self._known_bindir

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of Postgres's programs as the server's user, with none of our secrets in its environment."""
        drop = {"user": self._user.uid, "group": self._user.gid, "extra_groups": []} if self._user else {}
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # noqa: S603 - our own binaries
            [str(self._bindir / program), *arguments],
            env={**environment, "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **drop,
        )

    def _log_since(self, offset: int) -> str:
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[offset:].decode(errors="replace")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock file of the data directory; the kernel lets go of it when a holder dies."""
        with self._lock_file.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _look_at_process(pid: int) -> tuple[str, str]:
    """State letter and command line of a process, or `_NO_PROCESS`."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state, os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).replace("\0", " ")
    except OSError:
        pass
    if Path("/proc/self").exists():
        return _NO_PROCESS
    answer = subprocess.run(  # noqa: S603 - macOS has no /proc
        ["/bin/ps", "-ww", "-o", "state=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, command = answer.stdout.strip().partition(" ")
    return state[:1], command


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error:" in line]
    return (fatal or lines or ["no reason given"])[-1].strip()
