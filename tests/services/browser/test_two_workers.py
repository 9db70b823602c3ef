"""Two processes serve the console; the one that a page follows is killed under load, and the page goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.access.askers import BATCH, Desk, desk
from tests.integration.test_daemon import free_port, until

__all__ = ["desk"]

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]

ESTABLISHED = "01"


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    """Where two processes serve it together; nobody has to log in."""
    number, settings = free_port(), desk.office.settings
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_"))} | {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
    }
    command = [sys.executable, "-m", "enrichment_assets.web.api", "--port", str(number), "--workers", "2", "--no-login"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        until("two processes serve", lambda: len(workers(server.pid)) == 2 and is_up(number), 90)
        yield number
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def is_up(port: int) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    return False


def workers(parent: int) -> list[int]:
    """The processes that serve, of that one's children."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    lines = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in found if Path(f"/proc/{one}").exists()}
    return [one for one, line in lines.items() if b"spawn_main" in line]


def serves(worker: int, port: int) -> int:
    """How many connections to the port a process has open."""
    sockets = set()
    for handle in Path(f"/proc/{worker}/fd").iterdir():
        with suppress(OSError):
            sockets |= set(re.findall(r"socket:\[(\d+)\]", str(handle.readlink())))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == ESTABLISHED and row[9] in sockets for row in rows)


def parent_of(port: int) -> int:
    (found,) = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if f"--port\0{port}\0".encode() in path.read_bytes()
    ]
    return found


def test_who_follows_a_batch_sees_one_reconnect_and_no_error(
    playwright: Path, desk: Desk, port: int, tmp_path: Path
) -> None:
    config = {
        "console": f"http://127.0.0.1:{port}",
        "path": f"/batches/{BATCH['acme']}",
        "chromium": shutil.which("chromium"),
        "seconds": 15,
    }
    desk.office.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    story = [str(playwright), str(Path(__file__).with_name("reconnecting.py")), str(path)]
    with subprocess.Popen(story, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as browser:
        assert browser.stdin is not None
        assert browser.stdout is not None
        assert browser.stdout.readline() == "following\n"
        parent = parent_of(port)
        before = workers(parent)
        (followed,) = [one for one in before if serves(one, port)]
        browser.stdin.write("\n")
        browser.stdin.flush()
        assert browser.stdout.readline() == "asking\n"
        os.kill(followed, signal.SIGKILL)
        told = json.loads(browser.stdout.readline())
    assert told["faults"] == []
    assert told["seen"]["lost"] == 1
    assert (told["seen"]["opened"], told["seen"]["closed"]) == (2, False)
    assert told["asked"]["wrong"] == [], told["asked"]
    assert told["asked"]["answered"] > 50
    until("there are two again", lambda: len(workers(parent)) == 2, 30)
    assert followed not in workers(parent)
