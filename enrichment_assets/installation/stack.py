"""The platform's processes for daily work: what `enrich up` runs, where they listen, and what they are told.

The web server and the daemon share one code server, so a reload of the code location reaches both.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

import enrichment_assets
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.home import prepare_home
from enrichment_assets.installation.dagster_graphql import CODE_LOCATION
from enrichment_assets.installation.databases import embedded_server, open_databases
from enrichment_assets.installation.reloading import reloaded_when_workflows_change
from enrichment_assets.installation.running_stack import STARTED_BY
from enrichment_assets.installation.supervisor import Service, Supervisor
from enrichment_assets.installation.told_addresses import addresses_told
from enrichment_assets.installation.warm_processes import WARM_PROCESSES
from enrichment_assets.settings import (
    DEFAULT_API_PORT,
    DEFAULT_RECEIVER_PORT,
    DEFAULT_WEBSERVER_PORT,
    Settings,
)
from enrichment_assets.store.database import place

HOST = "127.0.0.1"
"""No process is bound to anything else: who comes from elsewhere comes through a proxy with TLS."""

RUNS_SOCKET = "runs.sock"
DEFINITIONS_MODULE = "enrichment_assets.definitions"
RUN_MODULES = (
    "dagster._cli.api",
    "dagster_postgres",
    "enrichment_assets.sensors.callbacks",
    "enrichment_assets.sensors.inbox",
    "enrichment_assets.sensors.analytics",
    "enrichment_assets.resources.dagster_storage",
    "enrichment_assets.resources.providers",
    "enrichment_assets.services.batches.taking",
    "enrichment_assets.services.uploads.inbox_folder",
    "enrichment_assets.services.uploads.raw_uploads",
    "enrichment_assets.warehouse",
    "enrichment_assets.warehouse.kept_lineage",
)
"""What a run imports: its warm process has it already. The definitions are not among them: they read the registry."""

WARM_MODULE = "enrichment_assets.installation.warm_processes"
DAEMON = "enrichment_assets.sensors.daemon"
DAGSTER_PAGES = "enrichment_assets.web.dagster_ui"
CONSOLE = "enrichment_assets.web.api"
CONSOLE_URL = "ENRICH_CONSOLE_URL"
"""Where people log in: Dagster's pages lead there who is not known."""
_RENDERED = "# Written by `enrich up` from the platform's dagster.yaml. Delete this line to keep your own changes.\n"

_CLEAR_UP = """
import shutil, sys
from pathlib import Path
from enrichment_assets.installation.embedded import LocalPostgres
shutil.rmtree(sys.argv[1], ignore_errors=True)
for data_dir in sys.argv[2:]:
    LocalPostgres(Path(data_dir)).stop()
"""
"""What is left to do when this process was killed. Arguments: our workdir, and the data directory if we started it."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the processes listen, on 127.0.0.1. None for `sandbox`, `metrics` or `console`: there is to be none."""

    webserver: int = DEFAULT_WEBSERVER_PORT
    receiver: int = DEFAULT_RECEIVER_PORT
    sandbox: int | None = None
    metrics: int | None = None
    console: int | None = DEFAULT_API_PORT

    def check_free(self) -> None:
        """See that nothing listens there yet.

        Raises:
            InfrastructureError: A port is taken; names it and the option to choose another.
        """
        options = {
            self.webserver: "--port",
            self.receiver: "--receiver-port",
            self.sandbox: "--sandbox-port",
            self.metrics: "ENRICH_METRICS_PORT",
            self.console: "--console-port",
        }
        for port, option in options.items():
            if port is not None and _accepts(socket.AF_INET, (HOST, port)):
                raise InfrastructureError(
                    f"Port {port} is taken by another process: choose one with {option}.",
                    code="installation.port_taken",
                )


@dataclass(frozen=True, slots=True)
class Entrance:
    """How people and programs come in.

    Attributes:
        sign: What a program of this installation shows Dagster's web server.
        invite: Called when the databases are open: what somebody is told who is the first one here; None: nothing.
        is_open: Nobody has to log in, for development: every process listens on this machine alone.
        workers: Processes that serve the console and the API together; one that dies is replaced.
    """

    sign: Callable[[], str]
    invite: Callable[[], str | None] = lambda: None
    is_open: bool = False
    workers: int = 1


def run_stack(settings: Settings, ports: Ports, entrance: Entrance, say: Callable[[str], None]) -> None:
    """Run the platform in the foreground until SIGINT, SIGTERM or SIGHUP; must be called in the main thread.

    The embedded database is started if no HQ URL is configured, and stopped again if it was this call that started it.

    Raises:
        InfrastructureError: A port is taken, the platform already runs for this home, or the database does not start.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT is ignored when a script started us with `&`
        signal.signal(number, signal.default_int_handler)
    server = embedded_server(settings) if settings.hq_database_url is None else None
    with only_stack_of(settings), private_workdir() as workdir:
        ports.check_free()
        started = server.start() if server else False
        environment = stack_environment(settings, ports, os.environ) | {WARM_PROCESSES: str(workdir / RUNS_SOCKET)}
        try:
            databases = open_databases(settings)
            render_dagster_home(settings)
            say(f"home: {settings.home}")
            say(f"logs: {settings.home / 'logs'}")
            say(f"database: {'embedded Postgres, ' if server else ''}{place(databases.hq)}")
            if (invitation := entrance.invite()) is not None:
                say(invitation)
            web = f"http://{HOST}:{ports.webserver}"
            reloading = reloaded_when_workflows_change(databases.hq, web, say, entrance.sign)
            with addresses_told(settings, environment, web), reloading:
                Supervisor(
                    stack_services(ports, workdir, is_open=entrance.is_open, workers=entrance.workers),
                    logs_dir=settings.home / "logs",
                    environment=environment,
                    say=say,
                    upkeep=(lambda: "database: was down, started again" if server.start() else None)
                    if server
                    else None,
                    last_command=[sys.executable, "-c", _CLEAR_UP, str(workdir)]
                    + ([str(settings.postgres_dir)] if started else []),
                ).run()
        finally:
            if server and started:
                server.stop()
    say("Stopped.")


def stack_services(ports: Ports, workdir: Path, *, is_open: bool = False, workers: int = 1) -> list[Service]:
    """The processes of the platform.

    Args:
        ports: Where they listen.
        workdir: A private folder with a short path, for the code server's socket and the workspace that names it.
        is_open: Nobody has to log in.
        workers: Processes of the console.
    """
    code_socket, runs_socket = str(workdir / "code.sock"), str(workdir / RUNS_SOCKET)
    workspace = workdir / "workspace.yaml"
    server = {"grpc_server": {"socket": code_socket, "location_name": CODE_LOCATION}}
    workspace.write_text(yaml.safe_dump({"load_from": [server]}))
    python = (sys.executable, "-m")
    freely = ("--no-login",) if is_open else ()
    location = ("--module-name", DEFINITIONS_MODULE, "--location-name", CODE_LOCATION)
    pages = (*python, DAGSTER_PAGES, "--host", HOST, "--port", str(ports.webserver))
    services = [
        Service(
            "code-server",
            (*python, "dagster", "code-server", "start", "--socket", code_socket, *location),
            answers=lambda: _accepts(socket.AF_UNIX, code_socket),
            makes_calls=True,  # its sensors read signed callbacks, and runs are its children where there is no warm one
        ),
        Service(
            "runs",
            (*python, WARM_MODULE, "--socket", runs_socket, "--preload", ",".join(RUN_MODULES)),
            answers=lambda: _accepts(socket.AF_UNIX, runs_socket),
            makes_calls=True,
        ),
        Service(
            "webserver",
            (*pages, "--workspace", str(workspace), *freely),
            address=f"http://{HOST}:{ports.webserver}",
            answers=_http_answers(ports.webserver, "/server_info"),
            after=["code-server"],
        ),
        Service("daemon", (*python, DAEMON, "run", "--workspace", str(workspace)), after=["code-server"]),
        _door("receiver", "receiver", ports.receiver),
    ]
    services += [] if ports.sandbox is None else [_door("sandbox", "sandbox", ports.sandbox)]
    services += [] if ports.metrics is None else [_door("metrics", "web.metrics", ports.metrics)]
    if ports.console is not None:
        together = ("--workers", str(workers))
        services.append(
            Service(
                "console",
                (*python, CONSOLE, "--host", HOST, "--port", str(ports.console), *together, *freely),
                address=f"http://{HOST}:{ports.console}",
                answers=_http_answers(ports.console, "/health"),
            )
        )
    return services


def stack_environment(settings: Settings, ports: Ports, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of all processes: ours, with the home made absolute and the addresses of this stack."""
    receiver = environment.get("ENRICH_RECEIVER_URL") or f"http://{HOST}:{ports.receiver}"
    told = {
        "ENRICH_HOME": str(settings.home),
        "ENRICH_RECEIVER_URL": receiver,
        "DAGSTER_HOME": str(settings.dagster_home),
        "PYTHONUNBUFFERED": "1",
        STARTED_BY: "enrich up",
    }
    if ports.console is not None:
        told[CONSOLE_URL] = environment.get(CONSOLE_URL) or f"http://{HOST}:{ports.console}"
    if ports.sandbox is not None:
        told["ENRICH_SANDBOX_URL"] = f"http://{HOST}:{ports.sandbox}"
    return {**environment, **told}


# opens files of ours: the home's
def render_dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` into this installation's DAGSTER_HOME, with the installation's home in it.

    A file there that does not begin with our first line belongs to the user and is left alone.
    """
    target = settings.dagster_home / "dagster.yaml"
    prepare_home(settings.home)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.read_text().startswith(_RENDERED):
        return target
    config = yaml.safe_load(_platform_dagster_yaml().read_text())
    config["storage"]["custom"]["config"] = {"home": str(settings.home)}
    target.write_text(_RENDERED + yaml.safe_dump(config, sort_keys=False))
    return target


@contextmanager
def private_workdir() -> Iterator[Path]:
    """A fresh folder only we can enter, with a path short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="enrich-up-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def only_stack_of(settings: Settings) -> Iterator[None]:
    """Hold the home's stack lock.

    Raises:
        InfrastructureError: Another `enrich up` runs for this home.
    """
    prepare_home(settings.home)
    with (settings.home / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InfrastructureError(
                f"The platform already runs for {settings.home} (process {file.read().strip() or 'unknown'}): "
                "stop that first.",
                code="platform.runs_already",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _platform_dagster_yaml() -> Path:
    """The committed dagster.yaml: inside an installed package, or at the root of a checkout."""
    package = Path(enrichment_assets.__file__).parent
    for folder in (package, package.parent):
        if (folder / "dagster.yaml").exists():
            return folder / "dagster.yaml"
    raise InfrastructureError(
        "The platform's dagster.yaml is missing from this installation: install it again.",
        code="installation.incomplete",
    )


def _door(name: str, module: str, port: int) -> Service:
    command = (sys.executable, "-m", f"enrichment_assets.{module}", "--host", HOST, "--port", str(port))
    return Service(name, command, address=f"http://{HOST}:{port}", answers=_http_answers(port, "/health"))


def _http_answers(port: int, path: str) -> Callable[[], bool]:
    def answers() -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=1.0)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return answers


def _accepts(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe, suppress(OSError):
        probe.settimeout(1.0)
        probe.connect(address)
        return True
    return False
