"""The embedded Postgres under what happens to servers: races, kill -9, stale files, long paths, private folders."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.installation.postgres_home import find_binaries

Factory = Callable[[Path], LocalPostgres]

START = """
import sys
from pathlib import Path
from enrichment_assets.installation.embedded import LocalPostgres
server = LocalPostgres(Path(sys.argv[1]), state_dir=Path(sys.argv[2]))
print(server.start(), server.server_pid())
"""


def _write(url: str, number: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table if not exists kept (number int)")
        connection.execute("insert into kept values (%s)", [number])


def _kept(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("select number from kept order by number")]


def _is_gone(pid: int | None) -> bool:
    """True when there is no such process, or only its zombie (no init in some containers)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def test_racing_cold_starts_make_one_server(open_folder: Path, local_postgres: Factory) -> None:
    data = open_folder / "home" / "postgres"
    command = [sys.executable, "-c", START, str(data), str(open_folder / "state")]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [racer.communicate(timeout=60)[0].split() for racer in racers]
    assert sorted(started for started, _ in answers) == ["False", "False", "False", "True"]
    assert {pid for _, pid in answers} == {str(local_postgres(data).server_pid())}


def test_no_committed_row_is_lost_when_the_server_is_killed(open_folder: Path, local_postgres: Factory) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    for number in range(20):
        _write(server.url("postgres"), number)
    pid = server.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert server.start() is True
    assert _kept(server.url("postgres")) == list(range(20))


def test_a_server_that_was_killed_with_all_its_back_ends_busy_is_started_again(
    open_folder: Path, local_postgres: Factory
) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    _write(server.url("postgres"), 1)
    busy = psycopg.connect(server.url("postgres"))
    backend = busy.info.backend_pid
    os.kill(backend, signal.SIGSTOP)  # it cannot notice that its postmaster is gone
    pid = server.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    waking = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; kill -CONT {backend}"])
    assert server.start() is True
    waking.wait()
    busy.close()
    assert _kept(server.url("postgres")) == [1]


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_pass_for_a_server(
    open_folder: Path, local_postgres: Factory
) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    _write(server.url("postgres"), 1)
    pid = server.server_pid()
    assert pid is not None
    pid_file = server.data_dir / "postmaster.pid"
    content = pid_file.read_text()
    os.kill(pid, signal.SIGKILL)
    _wait_until(lambda: server.server_pid() is None)
    pid_file.write_text(content.replace(str(pid), str(os.getpid()), 1))
    shutil.chown(pid_file, server.data_dir.owner(), server.data_dir.group())
    assert server.server_pid() is None
    assert server.start() is True
    assert _kept(server.url("postgres")) == [1]


@pytest.mark.parametrize("content", ["", "not a number\n"])
def test_an_unreadable_pid_file_is_no_obstacle(open_folder: Path, local_postgres: Factory, content: str) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    server.stop()
    (server.data_dir / "postmaster.pid").write_text(content)
    assert server.start() is True


def test_stopping_leaves_no_process_and_is_not_repeated(open_folder: Path, local_postgres: Factory) -> None:
    server = local_postgres(open_folder / "postgres")
    assert server.stop() is False
    server.start()
    pid = server.server_pid()
    assert server.stop() is True
    assert _is_gone(pid)
    assert server.stop() is False


def test_a_home_with_a_long_path_has_its_socket_in_a_short_private_folder(
    open_folder: Path, local_postgres: Factory
) -> None:
    data = open_folder / ("a long name " * 8) / ("ü+&% " * 8) / "postgres"
    server = local_postgres(data)
    server.start()
    _write(server.url("postgres"), 7)
    assert server.data_dir == data
    assert server.socket_dir != data
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert _kept(server.url("postgres")) == [7]
    server.stop()
    assert not server.socket_dir.exists()


def test_a_socket_folder_that_somebody_opened_to_others_is_refused(open_folder: Path, local_postgres: Factory) -> None:
    server = local_postgres(open_folder / ("x" * 100) / "postgres")
    server.socket_dir.mkdir(mode=0o777)
    server.socket_dir.chmod(0o777)
    try:
        with pytest.raises(InfrastructureError, match="not a private folder"):
            server.start()
    finally:
        server.socket_dir.rmdir()


def test_two_homes_have_two_servers(open_folder: Path, local_postgres: Factory) -> None:
    one, other = local_postgres(open_folder / "one"), local_postgres(open_folder / "other")
    one.start()
    other.start()
    _write(one.url("postgres"), 1)
    _write(other.url("postgres"), 2)
    assert (_kept(one.url("postgres")), _kept(other.url("postgres"))) == ([1], [2])
    assert one.server_pid() != other.server_pid()


def test_a_home_below_a_private_folder_works_and_no_foreign_folder_changes_its_mode(
    open_folder: Path, local_postgres: Factory
) -> None:
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    home = private / "home"
    server = local_postgres(home / "postgres")
    server.start()
    _write(server.url("postgres"), 3)
    assert _kept(server.url("postgres")) == [3]
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    if os.geteuid() == 0:
        assert server.data_dir.is_relative_to(open_folder / "state")
        assert server.data_dir.owner() in ("postgres", "nobody")
    else:
        assert server.data_dir == home / "postgres"
    server.stop()
    again = local_postgres(home / "postgres")
    again.start()
    assert _kept(again.url("postgres")) == [3]


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_removing_leaves_no_file_and_no_process(open_folder: Path, local_postgres: Factory, mode: int) -> None:
    home = open_folder / "home"
    home.mkdir()
    home.chmod(mode)
    server = local_postgres(home / "postgres")
    server.start()
    pid = server.server_pid()
    server.remove()
    assert _is_gone(pid)
    assert list(home.iterdir()) == []
    assert [path for path in open_folder.glob("state/*") if not path.name.startswith("embedded-postgres")] == []


def test_binaries_that_the_servers_user_cannot_reach_are_copied_once(open_folder: Path) -> None:
    package = find_binaries(None).parents[1]
    private = open_folder / "site-packages"
    private.mkdir(mode=0o700)
    shutil.copytree(package, private / package.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(package.with_name("embedded_postgres.libs"), private / "embedded_postgres.libs")
    command = [sys.executable, "-c", START, str(open_folder / "postgres"), str(open_folder / "state")]
    environment = {**os.environ, "PYTHONPATH": f"{private}{os.pathsep}{Path.cwd()}"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    started, pid = answer.stdout.split()
    try:
        assert started == "True"
        binary = Path(f"/proc/{pid}/exe").readlink()
        expected = open_folder / "state" if os.geteuid() == 0 else private
        assert binary.is_relative_to(expected)
    finally:
        LocalPostgres(open_folder / "postgres", state_dir=open_folder / "state").stop()


def test_a_data_directory_of_another_major_version_is_refused_with_the_reason(
    open_folder: Path, local_postgres: Factory
) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(InfrastructureError, match="was made by Postgres 9"):
        server.start()


def test_a_half_made_data_directory_is_made_again(open_folder: Path, local_postgres: Factory) -> None:
    half = open_folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = local_postgres(open_folder / "postgres")
    server.start()
    _write(server.url("postgres"), 1)
    assert _kept(server.url("postgres")) == [1]


def test_the_server_knows_none_of_our_secrets(open_folder: Path) -> None:
    command = [sys.executable, "-c", START, str(open_folder / "postgres"), str(open_folder / "state")]
    environment = {**os.environ, "APOLLO_API_KEY": "the-secret-of-the-house"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    pid = answer.stdout.split()[1]
    seen = Path(f"/proc/{pid}/environ").read_bytes()
    LocalPostgres(open_folder / "postgres", state_dir=open_folder / "state").stop()
    assert b"LC_ALL" in seen
    assert b"the-secret-of-the-house" not in seen


def test_letters_have_their_cases_and_sort_by_code_point(open_folder: Path, local_postgres: Factory) -> None:
    server = local_postgres(open_folder / "postgres")
    server.start()
    with psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("select lower('ÄÉØ'), 'Z' < 'a', 'a b' < 'ab'").fetchone() == ("äéø", True, True)
