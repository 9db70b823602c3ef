"""Dagster's pages behind the guard: every route, by every kind of visitor. The application is Dagster's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from enrichment_assets.web.dagster_ui import dagster_application
from enrichment_assets.web.origin_guard import (
    MAX_BODY_BYTES,
    RESPONSE_HEADERS,
    OriginGuard,
    loopback_origins,
    normal_origin,
)

OWN = "http://127.0.0.1:3000"
SOCKET = "ws://127.0.0.1:3000/graphql"
JSON = {"content-type": "application/json"}
VERSION = '{"query": "{ version }"}'


@pytest.fixture(scope="module")
def routes_and_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[object], TestClient]]:
    workspace = tmp_path_factory.mktemp("ui") / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    origins = [*loopback_origins(3000), "https://dagster.agency.example"]
    with dg.instance_for_test() as instance, dagster_application(instance, Path(workspace)) as application:
        guarded = OriginGuard(application, origins)
        yield application.routes, TestClient(guarded, base_url=OWN)  # type: ignore[attr-defined]


@pytest.fixture
def client(routes_and_client: tuple[list[object], TestClient]) -> TestClient:
    return routes_and_client[1]


def _paths(routes: list[object]) -> set[str]:
    """A path for each route, parameters filled in."""
    found = set()
    for route in routes:
        if isinstance(route, Mount):
            found |= {route.path + path for path in _paths(list(route.routes))} or {route.path}
        elif isinstance(route, Route | WebSocketRoute):
            parts = ["x" if part.startswith("{") else part for part in route.path.split("/")]
            found.add("/".join(parts))
    return found


def test_no_route_answers_a_foreign_name_or_page(routes_and_client: tuple[list[object], TestClient]) -> None:
    routes, client = routes_and_client
    paths = _paths(routes)
    assert {"/graphql", "/report_asset_materialization/x", "/download_debug/x"} <= paths
    for path in paths:
        for method in ("GET", "HEAD", "POST"):
            body = VERSION if method == "POST" else None
            of_foreign_name = client.request(method, path, headers={"host": "rebound.example", **JSON}, content=body)
            assert of_foreign_name.status_code == 421, (method, path)
            for foreign in (
                {"origin": "http://elsewhere.example"},
                {"origin": "null"},
                {"sec-fetch-site": "cross-site"},
            ):
                answer = client.request(method, path, headers={**foreign, **JSON}, content=body)
                assert answer.status_code == 403, (method, path, foreign)
                assert method == "HEAD" or answer.json()["code"] == "foreign_origin"


def test_every_other_method_is_refused_on_every_route(routes_and_client: tuple[list[object], TestClient]) -> None:
    routes, client = routes_and_client
    for path in _paths(routes):
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            assert client.request(method, path).status_code == 405, (method, path)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/graphql"]
)
def test_a_change_is_taken_as_json_only(client: TestClient, kind: str) -> None:
    for path in ("/graphql", "/report_asset_materialization/x", "/report_asset_check/x", "/report_asset_observation/x"):
        assert client.post(path, content=VERSION, headers={"content-type": kind}).status_code == 415, path


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": OWN, "sec-fetch-site": "same-origin"},
        {"host": "localhost:3000", "origin": "http://localhost:3000"},
        {"host": "LOCALHOST:3000"},
        {"host": "[::1]:3000", "origin": "http://[::1]:3000"},
        {"host": "dagster.agency.example", "origin": "https://dagster.agency.example"},
    ],
)
def test_own_pages_and_programs_are_answered(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/graphql", content=VERSION, headers={**JSON, **headers})
    assert answer.status_code == 200
    assert answer.json()["data"]["version"]
    assert RESPONSE_HEADERS.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:3001"},
        {"host": "127.0.0.1"},
        {"host": "dagster.agency.example:444"},
        {"host": "dagster.agency.example.elsewhere.example"},
        {"host": "localhost:3000", "origin": "https://localhost:3000"},
        {"origin": "http://127.0.0.1:3001", "sec-fetch-site": "same-site"},
        {"origin": f"{OWN}.elsewhere.example"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
)
def test_what_looks_nearly_like_us_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/graphql", content=VERSION, headers={**JSON, **headers}).status_code in (403, 421)
    assert client.get("/runs", headers=headers).status_code in (403, 421)


def test_a_link_from_another_site_opens_a_page(client: TestClient) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/runs", headers=link).status_code == 200
    assert client.post("/graphql", content=VERSION, headers={**JSON, **link}).status_code == 403


def test_a_query_is_not_carried_out_by_get(client: TestClient) -> None:
    for path in ("/graphql", "/graphql/"):
        assert client.get(path, params={"query": "{ version }"}).status_code == 405
    assert client.get("/graphql", headers={"accept": "text/html"}).status_code == 200


def test_two_hosts_are_none_of_ours(client: TestClient) -> None:
    assert client.get("/", headers=[("host", "127.0.0.1:3000"), ("host", "elsewhere.example")]).status_code == 421


def test_a_body_is_bounded_whether_its_length_is_said_or_not(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65_536 + 1):
            yield b" " * 65_536

    for body in (b" " * (MAX_BODY_BYTES + 1), pieces()):
        assert client.post("/graphql", content=body, headers=JSON).status_code == 413


@pytest.mark.parametrize(
    "headers", [{"origin": "http://elsewhere.example"}, {"host": "rebound.example"}, {"origin": "null"}]
)
def test_a_websocket_of_another_site_is_not_opened(client: TestClient, headers: dict[str, str]) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET, ["graphql-ws"], headers=headers):
        pass


def test_a_websocket_of_our_page_is_opened(client: TestClient) -> None:
    with client.websocket_connect(SOCKET, ["graphql-ws"], headers={"origin": OWN}) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("origin", "normal"),
    [
        ("HTTP://LocalHost:80/", "http://localhost"),
        ("https://dagster.agency.example:443", "https://dagster.agency.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(origin: str, normal: str) -> None:
    assert normal_origin(origin) == normal


@pytest.mark.parametrize(
    "text",
    [
        "agency.example",
        "ftp://agency.example",
        "https://agency.example/pages",
        "https://u@agency.example",
        "*",
        "https://",
    ],
)
def test_what_is_no_origin_is_refused_at_start(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        OriginGuard(lambda *_: None, [text])  # type: ignore[arg-type,return-value]
