"""The console as somebody uses it who never opens a terminal: `story.py`, in Debian's Chromium, before `enrich up`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from enrichment_assets.installation.databases import Databases
from tests.integration.test_daemon import free_port, until

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]

EXAMPLES = Path(__file__).parents[3] / "examples"
CLIENT = "acme"


@dataclass(frozen=True)
class Platform:
    """`enrich up --sandbox` with its login, and the link for its first owner."""

    console: str
    dagster: str
    invitation: str


@pytest.fixture
def platform(databases: Databases, tmp_path: Path) -> Iterator[Platform]:
    ports = {name: free_port() for name in ("port", "receiver-port", "sandbox-port", "console-port")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_"))} | {
        "ENRICH_HOME": str(tmp_path / "home"),
        "HQ_DATABASE_URL": databases.hq,
        "WORKSPACE_DATABASE_URL": databases.workspace,
        "DAGSTER_DATABASE_URL": databases.dagster,
    }

    def enrich(*arguments: str) -> None:
        command = [sys.executable, "-m", "enrichment_assets", *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=180)

    enrich("client", "add", CLIENT)
    enrich("client", "profile", CLIENT, "--file", str(EXAMPLES / "client_profile.yaml"))
    arguments = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    output = tmp_path / "up.txt"
    with output.open("w") as file:
        up = subprocess.Popen(
            [sys.executable, "-m", "enrichment_assets", "up", "--sandbox", *arguments],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until("everything is up", lambda: "Everything is up" in output.read_text() or up.poll() is not None)
        assert up.poll() is None, output.read_text()
        (invitation,) = re.findall(r"http://\S+token=\S+", output.read_text())
        yield Platform(f"http://127.0.0.1:{ports['console-port']}", f"http://127.0.0.1:{ports['port']}", invitation)
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)


def test_from_the_first_link_to_decided_drafts_with_no_fault_of_axe_on_any_page(
    playwright: Path, platform: Platform, tmp_path: Path
) -> None:
    shots = Path(os.environ.get("CONSOLE_SHOTS") or tmp_path / "shots")
    shots.mkdir(exist_ok=True)
    config = {
        "console": platform.console,
        "dagster": platform.dagster,
        "invitation": platform.invitation,
        "client": CLIENT,
        "list": str(EXAMPLES / "companies.csv"),
        "pipeline": "research-and-write",
        "destination": "deliver-to-webhook",
        "chromium": shutil.which("chromium"),
        "shots": str(shots),
    }
    path = tmp_path / "story.json"
    path.write_text(json.dumps(config))
    story = Path(__file__).with_name("story.py")
    done = subprocess.run([str(playwright), str(story), str(path)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["seen"] == {
        "dagster before": "Dagster: log in",
        "live": True,
        "leads": told["seen"]["leads"],
        "asked about": str(told["seen"]["leads"]),
        "leads with an address": told["seen"]["leads with an address"],
        "corrected": 1,
        "j goes on": True,
        "edited": "A word about your routes",
        "decided": 2,
        "delivered": True,
        "certificate": True,
        "dagster after": "Runs | All",
    }
    assert told["seen"]["leads"] > told["seen"]["leads with an address"] > 0
