"""The API as a program and as a browser: one shape of errors, paces, cookies, and what each route does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.domain.pace import Pace
from enrichment_assets.services.access import users
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.services.access.paces import SharedPace
from enrichment_assets.web.api.app import build_api
from enrichment_assets.web.api.routes import PREFIX
from tests.access.office import PASSWORD, Office
from tests.actors import TESTER
from tests.warehouse.hq_data import Answer, Lead, seed_batch

ORIGIN = "http://127.0.0.1:8730"
BATCH = "acme-1-apollo"


@pytest.fixture
def http(office: Office, hq: psycopg.Connection[Any]) -> Iterator[httpx.AsyncClient]:
    leads = [Lead({"full_name": "Ann"}, [Answer("match-person-via-apollo", status="PENDING", outcome=None)])]
    seed_batch(hq, leads, batch_key=BATCH, client="acme")
    app = build_api(office.hq, office.settings, [ORIGIN])
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN + PREFIX)


def key(office: Office, name: str = "zapier", **options: Any) -> dict[str, str]:
    made = create_key(office.hq, name, SCOPES, actor=TESTER, **options)
    return {"authorization": f"Bearer {made.text}"}


async def test_a_browser_logs_in_acts_under_its_user_s_name_and_logs_out(
    office: Office, http: httpx.AsyncClient
) -> None:
    made = users.add_user(office.hq, "ada", Role.OPERATOR, actor=TESTER, client="acme")
    short = await http.post("/password", json={"token": made.token, "password": "short"})
    assert (short.status_code, short.json()["code"]) == (422, "password.length")
    assert (await http.post("/password", json={"token": made.token, "password": PASSWORD})).json() == {"login": "ada"}
    wrong = await http.post("/session", json={"login": "ada", "password": "not this one"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "login.refused")
    assert (await http.get("/me")).status_code == 401
    entered = await http.post("/session", json={"login": "ada", "password": PASSWORD})
    assert entered.json() == {"login": "ada"}
    for cookie in entered.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie  # this machine's own address; any other has it
    me = (await http.get("/me")).json()
    assert me["actor"] == "user:ada"
    assert me["grants"][0]["client"] == "acme"
    paused = await http.post(f"/batches/{BATCH}/pause", json={"reason": "a moment"})
    assert (paused.status_code, paused.json()["hold"]["reason"]) == (200, "a moment")
    assert ("user:ada", "batch.pause", BATCH) in office.actions()
    assert (await http.post(f"/batches/{BATCH}/resume", json={})).status_code == 200
    assert (await http.post("/session/end", json={})).status_code == 200
    assert (await http.get("/me")).status_code == 401


async def test_elsewhere_than_on_this_machine_cookies_are_for_tls_only(office: Office) -> None:
    office.add("ada")
    app = build_api(office.hq, office.settings, ["https://enrich.example"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://enrich.example") as http:
        entered = await http.post(f"{PREFIX}/session", json={"login": "ada", "password": PASSWORD})
    assert all("Secure" in cookie for cookie in entered.headers.get_list("set-cookie"))


async def test_a_page_of_another_site_can_use_neither_cookie_nor_key(office: Office, http: httpx.AsyncClient) -> None:
    office.add("ada", Role.OWNER)
    await http.post("/session", json={"login": "ada", "password": PASSWORD})
    assert (await http.get("/me")).status_code == 200
    foreign: list[tuple[str, dict[str, str]]] = [
        ("GET", {"origin": "https://evil.example"}),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}),
        ("GET", {"sec-fetch-site": "same-site"}),
        ("GET", {"host": "evil.example"}),
        ("POST", {"origin": "null"}),
        ("POST", {"content-type": "text/plain"}),
        ("POST", {"content-type": "application/x-www-form-urlencoded"}),
        ("OPTIONS", {"origin": "https://evil.example", "access-control-request-method": "POST"}),
    ]
    for method, headers in foreign:
        path = "/me" if method == "GET" else f"/batches/{BATCH}/cancel"
        answer = await http.request(method, path, headers=headers, content=b"{}" if method == "POST" else None)
        assert answer.status_code in (403, 405, 415, 421), (method, headers)
        assert list(answer.json()) == ["code", "message", "hint", "fields"]
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "batch.cancel" not in {action for _, action, _ in office.actions()}


INVALID = "request.invalid"
WRONG: list[tuple[str, str, bytes, int, str | None, list[str]]] = [
    ("POST", f"/batches/{BATCH}/pause", b"[]", 400, "request.not_json", []),
    ("POST", f"/batches/{BATCH}/pause", b"{", 400, "request.not_json", []),
    ("POST", f"/batches/{BATCH}/pause", b"[" * 100_000, 400, "request.not_json", []),
    ("POST", f"/batches/{BATCH}/pause", b'"\xff"', 400, "request.not_json", []),
    ("POST", f"/batches/{BATCH}/pause", b'{"reason": 5, "x": 1}', 422, INVALID, ["reason", "x"]),
    ("POST", f"/batches/{BATCH}/pause", b'{"reason": "a\\u0000b"}', 422, INVALID, ["reason"]),
    ("POST", f"/batches/{BATCH}/pause", b'{"reason": "' + b"x" * 501 + b'"}', 422, "hold.reason_too_long", []),
    ("POST", f"/batches/{BATCH}/pause", b'{"workflow": "nothing"}', 404, None, []),
    ("POST", f"/batches/{BATCH}/leads/1/edit", b'{"value": "x"}', 422, INVALID, ["field"]),
    ("POST", f"/batches/{BATCH}/leads/x/edit", b'{"field": "title"}', 422, INVALID, ["item"]),
    ("POST", f"/batches/{BATCH}/leads/999999/edit", b'{"field": "title"}', 404, None, []),
    ("POST", f"/batches/{BATCH}/leads/1/edit", b'{"field": "cost", "value": "1"}', 422, "edit.column_fixed", []),
    ("POST", f"/batches/{BATCH}/leads/99999999999999999999/edit", b"{}", 422, INVALID, ["field", "item"]),
    ("GET", "/batches?limit=0", b"", 422, INVALID, ["limit"]),
    ("GET", "/batches?limit=1e3", b"", 422, INVALID, ["limit"]),
    ("GET", "/batches?limit=%D9%A1", b"", 422, INVALID, ["limit"]),
    ("GET", "/batches?page=2", b"", 422, INVALID, ["page"]),
    ("GET", "/batches/%00", b"", 404, "batch.not_found", []),
    ("GET", "/batches/%ff", b"", 404, "batch.not_found", []),
    ("GET", "/batches/..%2f..%2fetc", b"", 404, None, []),
    ("GET", "/batches?client=%00", b"", 404, "client.not_found", []),
    ("GET", "/audit?since=yesterday", b"", 422, INVALID, ["since"]),
    ("GET", "/audit?since=2026-11-01T00:00:00", b"", 422, INVALID, ["since"]),
    ("GET", "/audit?code=nothing", b"", 422, "audit.code_unknown", []),
    ("GET", "/audit?actor=%00", b"", 422, INVALID, ["actor"]),
    ("GET", "/audit?actor=nobody", b"", 422, "actor.invalid", []),
    ("GET", "/clients?after=x", b"", 422, INVALID, ["after"]),
    ("GET", "/clients?after=WzFd", b"", 422, INVALID, ["after"]),
    ("POST", "/session", b"{}", 422, INVALID, ["login", "password"]),
    ("POST", "/session", b'{"login": {"$ne": null}, "password": ["x"]}', 422, INVALID, ["login", "password"]),
    ("POST", "/password", b'{"token": "x", "password": "y"}', 401, "login.token_refused", []),
]
"""Method, path, body; then status, code (None: that of a service) and the fields that are named."""


async def test_what_is_not_as_it_has_to_be_is_said_by_field_and_is_never_a_fault_of_ours(
    office: Office, http: httpx.AsyncClient
) -> None:
    headers = {**key(office), "content-type": "application/json"}
    before = office.actions()
    for method, path, sent, status, code, fields in WRONG:
        answer = await http.request(method, path, content=sent, headers=headers)
        assert (answer.status_code, sorted(answer.json()["fields"])) == (status, fields), (path, sent[:50], answer.text)
        assert code is None or answer.json()["code"] == code, (path, sent[:50], answer.text)
    assert office.actions() == before


async def test_each_key_and_each_stranger_has_a_pace_and_a_key_does_not_wait_for_strangers(
    office: Office, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, calm = key(office, "busy"), key(office, "calm")
    told = [(await http.get("/me", headers=busy)) for _ in range(205)]
    assert [answer.status_code for answer in told[:200]] == [200] * 200
    assert told[-1].status_code in (200, 429)  # 20 a second came back meanwhile
    monkeypatch.setattr(Pace, "take", lambda _self, name: 7.2 if name == f"key {_number(office, 'busy')}" else 0.0)
    refused = await http.get("/me", headers=busy)
    assert (refused.status_code, refused.headers["retry-after"], refused.json()["code"]) == (
        429,
        "8",
        "access.too_often",
    )
    assert (await http.get("/me", headers=calm)).status_code == 200
    monkeypatch.undo()
    said = [(await http.get("/me", headers={"authorization": f"Bearer guess{n}"})).status_code for n in range(70)]
    assert said[:60] == [401] * 60
    assert 429 in said[60:]
    assert (await http.get("/me", headers=calm)).status_code == 200


def test_processes_that_answer_together_count_together(office: Office) -> None:
    here, there = (SharedPace(office.hq, 0.5, 6) for _ in range(2))
    waits = [pace.take("key 7") for _ in range(4) for pace in (here, there)]
    assert waits[:6] == [0.0] * 6
    assert all(0 < wait <= 2.0 for wait in waits[6:])
    left, seconds = there.left("key 7")
    assert left == 0
    assert 9 < seconds <= 12
    assert here.take("key 8") == 0.0
    assert here.left("key 8")[0] == 5


def _number(office: Office, name: str) -> int:
    with office.hq.transaction() as connection:
        row = connection.execute("select id from api_keys where name = %s", (name,)).fetchone()
    assert row is not None
    return int(row["id"])


async def test_the_log_is_read_page_by_page(office: Office, http: httpx.AsyncClient) -> None:
    for number in range(5):
        users.add_user(office.hq, f"user{number}", Role.READER, actor=TESTER)
    headers, found, after = key(office), [], 0
    while True:
        page = (await http.get("/audit", params={"limit": 3, "after": after or 10**9}, headers=headers)).json()
        found += [row["name"] for row in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == [name for _, _, name in office.actions()][::-1]


async def test_a_fault_of_ours_tells_nothing(
    office: Office, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from enrichment_assets.services.access import api_keys

    def broken(*_: object) -> None:
        raise RuntimeError("postgresql://user:secret@host")

    monkeypatch.setattr(api_keys.store, "list_keys", broken)
    app = build_api(office.hq, office.settings, [ORIGIN])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN + PREFIX) as client:
        office.add("ada", Role.OWNER)
        await client.post("/session", json={"login": "ada", "password": PASSWORD})
        answer = await client.get("/api-keys")
    assert (answer.status_code, answer.json()["code"]) == (500, "server.fault")
    assert "secret" not in answer.text
