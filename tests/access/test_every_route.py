"""Every route of the API as everybody: each role, each scope, each client's, and whoever is not known.

What is expected stands here by hand: a route without a line, or with another permission than its line says, is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.access.api_keys import create_key, revoke_key
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.web.api.app import build_api
from enrichment_assets.web.api.doors import Doors
from enrichment_assets.web.api.routes import PREFIX, ROUTES, ClientBy
from tests.access.conftest import Office
from tests.actors import TESTER
from tests.harness.databases import PostgresServer
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

ORIGIN = "http://127.0.0.1:8730"
BATCH = {"acme": "acme-1-apollo", "globex": "globex-1-apollo"}

OPEN, KNOWN = "open", "known"
EXPECTED: dict[tuple[str, str], str] = {
    ("POST", "/session"): OPEN,
    ("POST", "/session/end"): OPEN,
    ("POST", "/password"): OPEN,
    ("GET", "/me"): KNOWN,
    ("GET", "/batches"): "batches:read",
    ("GET", "/batches/{batch}"): "batches:read",
    ("POST", "/batches/{batch}/pause"): "batches:control",
    ("POST", "/batches/{batch}/resume"): "batches:control",
    ("POST", "/batches/{batch}/cancel"): "batches:control",
    ("GET", "/batches/{batch}/leads"): "leads:read",
    ("POST", "/batches/{batch}/leads/{item}/edit"): "leads:edit",
    ("POST", "/instantly/sync"): "pulls:sync",
    ("GET", "/instantly/campaigns"): "pulls:read",
    ("GET", "/audit"): "audit:read",
    ("GET", "/users"): "access:read",
    ("GET", "/api-keys"): "access:read",
}
ROLES = {
    "reader": {"batches:read", "leads:read", "pulls:read"},
    "reviewer": {"batches:read", "leads:read", "pulls:read", "leads:edit"},
}
ROLES["operator"] = ROLES["reviewer"] | {"batches:control", "pulls:sync", "audit:read"}
ROLES["owner"] = ROLES["operator"] | {"access:read"}
BODIES: dict[str, dict[str, Any]] = {
    "/batches/{batch}/leads/{item}/edit": {"field": "title", "value": "CTO"},
    "/instantly/sync": {"source": "file", "file_path": "figures.json"},
}


@dataclass
class Asker:
    """Somebody, with what they send to be known, and what they may of whom (None: all)."""

    name: str
    headers: dict[str, str]
    may: set[str] = field(default_factory=set)
    of: str | None = None
    is_known: bool = True


@dataclass
class Desk:
    """The API over an installation with a batch of each client."""

    office: Office
    items: dict[str, int]
    build: Build

    def http(self) -> httpx.AsyncClient:
        app = build_api(self.office.hq, self.office.settings, [ORIGIN])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)

    def path(self, path: str, client: str) -> str:
        return path.replace("{batch}", BATCH[client]).replace("{item}", str(self.items[client]))


@pytest.fixture(scope="module")
def desk(postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    names = postgres_server.create(hq_template), postgres_server.create()
    urls = [postgres_server.url(name) for name in names]
    settings = Settings(tmp_path_factory.mktemp("home") / "home", urls[0], urls[1])
    build = Build(settings)
    for client, key in BATCH.items():
        leads = [
            Lead({"full_name": f"{client} {n}"}, [Answer("match-person-via-apollo", {}, {"title": "x"})])
            for n in range(3)
        ]
        build(leads, batch_key=key, client=client).close()
        figures = settings.home / "pulls" / client / "figures.json"
        figures.parent.mkdir(parents=True)
        figures.write_text('{"campaigns": [{"id": "c1", "name": "One", "status": 1}]}')
    with connect(urls[0]) as hq:
        rows = hq.execute(
            "select c.slug, min(i.id) as id from batch_items i join clients c on c.id = i.client_id group by 1"
        ).fetchall()
    with open_hq(settings) as handle:
        office = Office(handle, settings, Signing.of(settings))
        yield Desk(office, {row["slug"]: int(row["id"]) for row in rows}, build)
    for name in names:
        postgres_server.drop(name)


@pytest.fixture(scope="module")
def askers(desk: Desk) -> list[Asker]:
    """Everybody there can be, one of each kind."""
    office, found = desk.office, []
    for of in (None, "acme", "globex"):
        for role in Role:
            login = f"{role.value}-{of or 'all'}"
            office.add(login, role, of)
            cookie = {"cookie": f"enrich_session={office.log_in(login).session}"}
            found.append(Asker(login, cookie, ROLES[role.value], of))
        for scope in (*sorted(SCOPES), "every"):
            name = f"{scope}-{of or 'all'}"
            scopes = SCOPES if scope == "every" else {scope}
            made = create_key(office.hq, name, scopes, actor=TESTER, client=of)
            found.append(Asker(name, {"authorization": f"Bearer {made.text}"}, {str(s) for s in scopes}, of))
    good = create_key(office.hq, "good", SCOPES, actor=TESTER).text
    over, gone = (create_key(office.hq, name, SCOPES, actor=TESTER).text for name in ("over", "gone"))
    revoke_key(office.hq, "gone", actor=TESTER)
    office.change("update api_keys set expires_at = now() - interval '1 hour' where name = 'over'")
    office.add("disabled", Role.OWNER)
    disabled = office.log_in("disabled").session
    office.change("update users set disabled_at = now() where login = 'disabled'")
    session = office.log_in("owner-all").session
    unknown = {
        "nobody": {},
        "over": {"authorization": f"Bearer {over}"},
        "revoked": {"authorization": f"Bearer {gone}"},
        "another secret": {"authorization": f"Bearer {good[:-4]}AAAA"},
        "no secret": {"authorization": f"Bearer {good[:20]}"},
        "another scheme": {"authorization": f"Basic {good}"},
        "a key in the address": {},
        "a bad key beside a good session": {"authorization": "Bearer x", "cookie": f"enrich_session={session}"},
        "a disabled user": {"cookie": f"enrich_session={disabled}"},
        "a changed session": {"cookie": f"enrich_session={session[:-30]}AA{session[-28:]}"},
        "a key as a session": {"cookie": f"enrich_session={good}"},
        "a session as a key": {"authorization": f"Bearer {session}"},
        "a device": {"cookie": f"enrich_session={office.log_in('owner-all').device}"},
    }
    return [*found, *(Asker(name, headers, is_known=False) for name, headers in unknown.items())]


def expected(needs: str, by: ClientBy, asker: Asker, client: str) -> int:
    """The status that a route has for somebody who asks it about a client."""
    if needs != OPEN and not asker.is_known:
        return 401
    if needs == KNOWN:
        return 200
    foreign = asker.of is not None and asker.of != client
    if by is ClientBy.NOTHING:
        return 200 if needs in asker.may and asker.of is None else 403
    if foreign:
        return 404
    return 200 if needs in asker.may else 403


async def test_every_route_as_everybody_about_each_client(
    desk: Desk, askers: list[Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doors, "admit_stranger", lambda _self, _request: None)  # its pace has a test of its own
    assert {(route.method, route.path) for route in ROUTES} == EXPECTED.keys()
    wrong, asked = [], 0
    async with desk.http() as http:
        for route in ROUTES:
            needs = EXPECTED[route.method, route.path]
            if needs == OPEN:
                continue
            for asker in askers:
                for client in ("acme", "globex"):
                    path = desk.path(route.address, client)
                    params = {"client": client} if route.client is ClientBy.QUERY else {}
                    body = BODIES.get(route.path, {}) if route.method == "POST" else None
                    answer = await http.request(route.method, path, params=params, json=body, headers=asker.headers)
                    asked += 1
                    want = expected(needs, route.client, asker, client)
                    if answer.status_code != want:
                        wrong.append(f"{route.method} {path} as {asker.name}: {answer.status_code}, not {want}")
                    if answer.status_code != 200 and list(answer.json()) != ["code", "message", "hint", "fields"]:
                        wrong.append(f"{route.method} {path} as {asker.name}: {answer.text}")
                    if answer.headers.get("cache-control") != "no-store":
                        wrong.append(f"{route.method} {path}: may be stored")
    assert wrong == []
    assert asked > 900


async def test_what_is_another_client_s_looks_as_if_it_were_not_there(desk: Desk, askers: list[Asker]) -> None:
    acme = next(one for one in askers if one.name == "every-acme")
    async with desk.http() as http:
        for path, shown in (
            (f"/batches/{BATCH['globex']}", f"there is no batch '{BATCH['globex']}'"),
            ("/batches/nothing-1", "there is no batch 'nothing-1'"),
            ("/batches?client=globex", "there is no client 'globex'"),
            ("/batches?client=nobody", "there is no client 'nobody'"),
            ("/audit?client=globex", "there is no client 'globex'"),
        ):
            answer = await http.get(PREFIX + path, headers=acme.headers)
            assert answer.status_code == 404
            assert (answer.json()["message"], answer.json()["hint"]) == (shown, None)
        batches = (await http.get(f"{PREFIX}/batches", headers=acme.headers)).json()["items"]
        assert {one["client"] for one in batches} == {"acme"}  # no client named: the one it is for
        log = (await http.get(f"{PREFIX}/audit?limit=1000", headers=acme.headers)).json()["items"]
        assert {one["client"] for one in log} == {"acme"}
        leads = (await http.get(f"{PREFIX}/batches/{BATCH['acme']}/leads", headers=acme.headers)).json()["items"]
        assert {one["client_slug"] for one in leads} == {"acme"}


async def test_of_several_clients_one_has_to_be_named(desk: Desk) -> None:
    desk.office.add("both", Role.READER, "acme")
    from enrichment_assets.services.access.users import change_role

    change_role(desk.office.hq, "both", Role.OPERATOR, actor=TESTER, client="globex")
    cookie = {"cookie": f"enrich_session={desk.office.log_in('both').session}"}
    async with desk.http() as http:
        answer = await http.get(f"{PREFIX}/batches", headers=cookie)
        assert (answer.status_code, answer.json()["code"]) == (422, "request.client_missing")
        assert answer.json()["hint"] == "one of: acme, globex"
        assert (await http.get(f"{PREFIX}/batches?client=globex", headers=cookie)).status_code == 200
        assert (await http.get(f"{PREFIX}/audit", headers=cookie)).status_code == 200  # of the one where it may
        assert (await http.get(f"{PREFIX}/audit?client=acme", headers=cookie)).status_code == 403


async def test_what_has_no_row_in_the_table_is_not_served(desk: Desk, askers: list[Asker]) -> None:
    owner = next(one for one in askers if one.name == "every-all")
    async with desk.http() as http:
        for method, path, status in (
            ("GET", "/", 404),
            ("GET", "/docs", 404),
            ("GET", "/openapi.json", 404),
            ("GET", f"{PREFIX}", 404),
            ("GET", f"{PREFIX}/me/", 404),
            ("GET", f"{PREFIX}//me", 404),
            ("GET", f"{PREFIX}/session", 405),
            ("POST", f"{PREFIX}/me", 405),
            ("DELETE", f"{PREFIX}/api-keys", 405),
            ("PUT", f"{PREFIX}/batches/{BATCH['acme']}", 405),
            ("TRACE", f"{PREFIX}/me", 405),
            ("OPTIONS", f"{PREFIX}/me", 405),
            ("HEAD", f"{PREFIX}/me", 200),
        ):
            body = {} if method == "POST" else None
            answer = await http.request(method, path, json=body, headers=owner.headers)
            assert answer.status_code == status, (method, path, answer.text)
            assert "access-control-allow-origin" not in answer.headers
            if status != 200:
                assert list(answer.json()) == ["code", "message", "hint", "fields"]
