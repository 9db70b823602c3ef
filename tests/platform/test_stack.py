"""`enrich up` as it is: real Dagster, receiver and database, up and gone again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enrichment_assets.domain.errors import InfrastructureError, NotFoundError
from enrichment_assets.installation.databases import embedded_server, open_hq
from enrichment_assets.installation.stack import Ports, only_stack_of, stack_environment
from enrichment_assets.services.operations.automations import Automation, list_automations, switch
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.platform.processes import free_port, processes_with, wait_until

RUN = """
import sys
from pathlib import Path
from enrichment_assets.installation.stack import Entrance, Ports, run_stack
from enrichment_assets.settings import Settings
run_stack(
    Settings(home=Path(sys.argv[1])),
    Ports(int(sys.argv[2]), int(sys.argv[3]), console=int(sys.argv[4])),
    Entrance(sign=lambda: "", is_open=True, workers=2),
    say=lambda sentence: print(sentence, flush=True),
)
"""


@dataclass
class Stack:
    """One running platform."""

    settings: Settings
    ports: Ports
    process: subprocess.Popen[bytes]
    screen: Path

    def left(self) -> set[int]:
        """Processes that carry this home in their command line or environment."""
        return processes_with(str(self.settings.home)) - {self.process.pid}

    def workdir(self) -> Path:
        """The folder of the code server's socket."""
        command_lines = [Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in self.left()]
        (socket_path,) = {words[words.index("--socket") + 1] for words in command_lines if "code-server" in words}
        return Path(socket_path).parent


@pytest.fixture
def stack(open_folder: Path) -> Iterator[Stack]:
    settings = Settings(home=open_folder / "home")
    ports, screen = Ports(free_port(), free_port(), console=free_port()), open_folder / "screen.txt"
    listens = map(str, (ports.webserver, ports.receiver, ports.console))
    command = [sys.executable, "-c", RUN, str(settings.home), *listens]
    with screen.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    one = Stack(settings, ports, process, screen)
    yield one
    process.kill()
    process.wait()
    for pid in one.left():
        os.kill(pid, signal.SIGKILL)
    embedded_server(settings).remove()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_everything_answers_and_nothing_is_left(stack: Stack, number: signal.Signals) -> None:
    wait_until(lambda: "Everything is up" in stack.screen.read_text(), seconds=240)
    query = urllib.request.Request(
        f"http://127.0.0.1:{stack.ports.webserver}/graphql",
        data=json.dumps({"query": "{ instance { daemonHealth { id } } }"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(query, timeout=30) as answer:
        assert "daemonHealth" in json.load(answer)["data"]["instance"]
    foreign = urllib.request.Request(query.full_url, query.data, {**query.headers, "Host": "rebound.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(foreign, timeout=30)
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.ports.receiver}/health", timeout=30) as answer:
        assert answer.status == 200
    assert embedded_server(stack.settings).is_ready()
    if number is signal.SIGINT:
        _automations_are_seen_and_switched(stack.settings)
    assert len(stack.left()) >= 5
    workdir = stack.workdir()
    assert workdir.exists()
    stack.process.send_signal(number)
    stack.process.wait(timeout=60)
    wait_until(lambda: stack.left() == set(), seconds=60)
    wait_until(lambda: not embedded_server(stack.settings).is_ready(), seconds=60)  # root's is not below the home
    assert not workdir.exists()


def _automations_are_seen_and_switched(settings: Settings) -> None:
    """What Dagster itself says of its schedules and sensors, before and after."""

    def seen(kind: str, name: str) -> Automation:
        (found,) = [one for one in list_automations(settings) if (one.kind, one.name) == (kind, name)]
        return found

    schedule, sensor = seen("schedule", "retention_schedule"), seen("sensor", "source_sensor")
    assert (schedule.is_on, schedule.next_at, sensor.is_on) == (False, None, True)
    with open_hq(settings) as hq:
        for kind, name, on in (
            ("schedule", schedule.name, True),
            ("schedule", schedule.name, True),  # again, it changes nothing
            ("sensor", sensor.name, False),
            ("sensor", sensor.name, True),
            ("schedule", schedule.name, False),
        ):
            switch(hq, settings, kind, name, on=on, actor=TESTER)
            now = seen(kind, name)
            assert now.is_on is on
            assert kind == "sensor" or (now.next_at is not None) is on
        with pytest.raises(NotFoundError, match="no sensor 'nothing'"):
            switch(hq, settings, "sensor", "nothing", on=True, actor=TESTER)
        noted = [(one.action, one.name) for one in list_history(hq, limit=10) if one.action.startswith("automation.")]
    assert noted == [
        ("automation.off", "retention_schedule"),
        ("automation.on", "source_sensor"),
        ("automation.off", "source_sensor"),
        ("automation.on", "retention_schedule"),
    ]


def test_a_second_stack_for_the_same_home_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    refused = pytest.raises(InfrastructureError, match=f"runs for .*process {os.getpid()}.*stop that first")
    with only_stack_of(settings), refused, only_stack_of(settings):
        pass
    with only_stack_of(settings):
        assert (tmp_path / "up.lock").read_text() == str(os.getpid())


def test_a_port_that_is_taken_is_named_with_the_option_that_chooses_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InfrastructureError, match=rf"Port {port} is taken.*--receiver-port"):
            Ports(free_port(), port).check_free()


def test_the_processes_are_told_where_everything_is(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    told = stack_environment(settings, Ports(3000, 8710, 8720), {"APOLLO_API_KEY": "k"})
    assert told == {
        "APOLLO_API_KEY": "k",
        "ENRICH_HOME": str(tmp_path),
        "ENRICH_RECEIVER_URL": "http://127.0.0.1:8710",
        "ENRICH_SANDBOX_URL": "http://127.0.0.1:8720",
        "ENRICH_CONSOLE_URL": "http://127.0.0.1:8730",
        "DAGSTER_HOME": str(tmp_path / "dagster"),
        "PYTHONUNBUFFERED": "1",
        "ENRICH_STARTED_BY": "enrich up",
    }


def test_a_public_address_of_the_receiver_is_kept(tmp_path: Path) -> None:
    given = {"ENRICH_RECEIVER_URL": "https://hooks.example.com"}
    told = stack_environment(Settings(home=tmp_path), Ports(), given)
    assert told["ENRICH_RECEIVER_URL"] == "https://hooks.example.com"
    assert "ENRICH_SANDBOX_URL" not in told
