"""Who may see Dagster's pages, and who may start something there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from enrichment_assets.domain.access import Role
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.web.dagster_login import LoginGuard, changes_something
from tests.access.office import Office, office

__all__ = ["office"]
CONSOLE = "http://127.0.0.1:8730"
READ = {"query": "query Q { version }"}
LAUNCH = {"query": "mutation M { launchRun(executionParams: {}) { __typename } }"}


async def _anything(request: Request) -> JSONResponse:
    return JSONResponse({"path": request.url.path, "bytes": len(await request.body())})


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@dataclass
class Desk:
    """Dagster's place, behind the guard, and sessions of people."""

    client: TestClient
    signing: Signing
    sessions: dict[str, str]

    def ask(self, who: str, method: str = "GET", path: str = "/runs", **sent: object) -> httpx.Response:
        headers = {"cookie": f"enrich_session={self.sessions.get(who, who)}"} if who else {}
        return self.client.request(method, path, headers=headers, **sent)  # type: ignore[arg-type]


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    for login, role, client in (
        ("owner", Role.OWNER, None),
        ("operator", Role.OPERATOR, None),
        ("reader", Role.READER, None),
        ("acme", Role.OPERATOR, "acme"),
    ):
        office.add(login, role, client)
    app = Starlette(
        routes=[
            WebSocketRoute("/graphql", _socket),
            Route("/{rest:path}", _anything, methods=["GET", "POST"]),
        ]
    )
    guard = LoginGuard(app, office.hq, office.signing, CONSOLE)
    sessions = {login: office.log_in(login).session for login in ("owner", "operator", "reader", "acme")}
    with TestClient(guard) as client:
        yield Desk(client, office.signing, sessions)


def test_who_may_read_and_who_may_change(desk: Desk) -> None:
    changed = desk.sessions["owner"][:-3] + "AAA"
    for who, reads, starts in (
        ("owner", 200, 200),
        ("operator", 200, 200),
        ("reader", 200, 403),
        ("acme", 403, 403),  # it shows the batches of all clients
        ("", 401, 401),
        (changed, 401, 401),
        ("enrich_abc_def", 401, 401),
    ):
        assert desk.ask(who).status_code == reads, who
        assert desk.ask(who, "POST", "/graphql", json=READ).status_code == reads, who
        assert desk.ask(who, "POST", "/graphql", json=LAUNCH).status_code == starts, who
        assert desk.ask(who, "POST", "/report_asset_materialization/x", json={}).status_code == starts, who
        assert desk.ask(who, path="/server_info").status_code == 200


def test_what_a_reader_asks_arrives_whole(desk: Desk) -> None:
    answer = desk.ask("reader", "POST", "/graphql", json=READ)
    assert answer.json() == {"path": "/graphql", "bytes": int(answer.request.headers["content-length"])}


def test_a_browser_is_told_where_to_log_in_and_a_program_in_our_shape(desk: Desk) -> None:
    page = desk.client.get("/runs", headers={"accept": "text/html"})
    assert (page.status_code, f'href="{CONSOLE}"' in page.text) == (401, True)
    program = desk.client.get("/runs")
    assert list(program.json()) == ["code", "message", "hint", "fields"]


def test_a_socket_takes_a_login_too(desk: Desk) -> None:
    for who, is_in in (("reader", True), ("acme", False), ("", False)):
        headers = {"cookie": f"enrich_session={desk.sessions.get(who, '')}"}
        if is_in:
            with desk.client.websocket_connect("/graphql", headers=headers) as socket:
                assert socket.receive_text() == "hello"
        else:
            with (
                pytest.raises(WebSocketDisconnect),
                desk.client.websocket_connect("/graphql", headers=headers) as socket,
            ):
                socket.receive_text()


def test_a_program_of_the_installation_comes_in_by_what_it_signs_for_a_minute(desk: Desk) -> None:
    for text, status in (
        (desk.signing.program(), 200),
        (Signing("x" * 40).program(), 401),
        (desk.sessions["owner"], 401),
        ("", 401),
    ):
        answer = desk.client.post("/graphql", json=LAUNCH, headers={"authorization": f"Bearer {text}"})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (b'{"query": "{ version }"}', False),
        (b'{"query": "query A { version } query B { version }", "operationName": "B"}', False),
        (b'{"query": "query mutation { version }"}', False),
        (b'{"query": "{ assets(prefix: \\"mutation x { y }\\") { __typename } }"}', False),
        (b'{"query": "fragment F on Query { version } query Q { ...F }"}', False),
        (b'{"query": "mutation { launchRun { id } }"}', True),
        (b'{"query": "query A { version } mutation B { launchRun { id } }", "operationName": "A"}', True),
        (b'[{"query": "{ version }"}, {"query": "mutation { x }"}]', True),
        (b'{"query": "# a comment\\nmutation { x }"}', True),
        (b'{"query": "subscription { x }"}', True),
        (b'{"query": "{"}', True),
        (b'{"query": 5}', True),
        (b'{"id": "x"}', True),
        (b"", True),
        (b"mutation { x }", True),
    ],
)
def test_a_mutation_is_known_by_its_grammar(body: bytes, changes: bool) -> None:
    assert changes_something(body) is changes
