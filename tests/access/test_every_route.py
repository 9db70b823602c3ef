"""Every route of the API as everybody: each role, each scope, each client's, and whoever is not known.

What is expected stands here by hand: a route without a line, or with another permission than its line says, is a fault.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from enrichment_assets.domain.access import Role
from enrichment_assets.web.api.doors import Doors
from enrichment_assets.web.api.openapi import document
from enrichment_assets.web.api.routes import PREFIX, ROUTES, ClientBy
from tests.access.askers import BATCH, Asker, Desk
from tests.actors import TESTER

OPEN, KNOWN = "open", "known"
EXPECTED: dict[tuple[str, str], str] = {
    ("POST", "/session"): OPEN,
    ("POST", "/session/end"): OPEN,
    ("POST", "/password"): OPEN,
    ("GET", "/me"): KNOWN,
    ("GET", "/clients"): "clients:read",
    ("POST", "/clients"): "clients:edit",
    ("GET", "/clients/{client}"): "clients:read",
    ("GET", "/clients/{client}/configs"): "clients:read",
    ("GET", "/clients/{client}/configs/{workflow}"): "clients:read",
    ("POST", "/clients/{client}/configs/{workflow}"): "clients:edit",
    ("GET", "/clients/{client}/gate"): "clients:read",
    ("POST", "/clients/{client}/gate/{gate_rule}"): "clients:edit",
    ("GET", "/clients/{client}/profile"): "clients:read",
    ("POST", "/clients/{client}/profile"): "clients:edit",
    ("GET", "/clients/{client}/budgets"): "clients:read",
    ("POST", "/clients/{client}/budgets"): "clients:edit",
    ("GET", "/pipelines"): "clients:read",
    ("POST", "/pipelines"): "clients:edit",
    ("GET", "/pipelines/{pipeline}"): "clients:read",
    ("POST", "/pipelines/{pipeline}/archive"): "clients:edit",
    ("GET", "/workflows"): "workflows:read",
    ("POST", "/workflows"): "workflows:edit",
    ("GET", "/workflows/{workflow}"): "workflows:read",
    ("POST", "/workflows/{workflow}/switch"): "workflows:edit",
    ("POST", "/workflows/{workflow}/archive"): "workflows:edit",
    ("GET", "/uploads"): "uploads:read",
    ("POST", "/uploads"): "uploads:write",
    ("GET", "/uploads/{upload}"): "uploads:read",
    ("GET", "/uploads/{upload}/plan"): "batches:launch",
    ("POST", "/uploads/{upload}/launch"): "batches:launch",
    ("GET", "/reviews"): "reviews:read",
    ("GET", "/batches/{batch}/reviews"): "reviews:read",
    ("POST", "/batches/{batch}/reviews"): "reviews:decide",
    ("GET", "/batches/{batch}/deliveries/plan"): "batches:read",
    ("POST", "/batches/{batch}/deliveries"): "deliveries:send",
    ("POST", "/leads/enrich"): "batches:launch",
    ("POST", "/enrich-course"): "batches:launch",
    ("GET", "/leads"): "leads:read",
    ("GET", "/leads/jobs/{job}"): "batches:read",
    ("GET", "/batches"): "batches:read",
    ("GET", "/batches/{batch}"): "batches:read",
    ("POST", "/batches/{batch}/pause"): "batches:control",
    ("POST", "/batches/{batch}/resume"): "batches:control",
    ("POST", "/batches/{batch}/cancel"): "batches:control",
    ("POST", "/batches/{batch}/ask"): "batches:control",
    ("POST", "/batches/{batch}/retry"): "batches:control",
    ("GET", "/deliveries"): "leads:read",
    ("GET", "/events"): "leads:read",
    ("GET", "/batches/{batch}/leads"): "leads:read",
    ("POST", "/batches/{batch}/leads/{item}/edit"): "leads:edit",
    ("POST", "/instantly/sync"): "pulls:sync",
    ("GET", "/instantly/campaigns"): "pulls:read",
    ("GET", "/campaigns"): "pulls:read",
    ("POST", "/campaigns/launch"): "deliveries:send",
    ("GET", "/audit"): "audit:read",
    ("GET", "/users"): "access:read",
    ("GET", "/api-keys"): "access:read",
}
FINE = {
    ("POST", "/clients/{client}/gate/{gate_rule}"): 422,
    ("POST", "/clients/{client}/profile"): 422,
    ("POST", "/clients/{client}/budgets"): 422,
    ("POST", "/pipelines"): 422,
    ("POST", "/pipelines/{pipeline}/archive"): 404,
    ("POST", "/workflows"): 422,
    ("POST", "/workflows/{workflow}/switch"): 422,
    ("POST", "/workflows/{workflow}/archive"): 422,
    ("POST", "/uploads"): 422,
    ("GET", "/clients/{client}/profile"): 404,
    ("POST", "/clients"): 422,
    ("GET", "/uploads/{upload}/plan"): 422,
    ("POST", "/uploads/{upload}/launch"): 422,
    ("POST", "/batches/{batch}/reviews"): 422,
    ("GET", "/batches/{batch}/deliveries/plan"): 422,
    ("POST", "/batches/{batch}/deliveries"): 422,
    ("POST", "/batches/{batch}/ask"): 422,
    ("POST", "/enrich-course"): 422,
    ("POST", "/campaigns/launch"): 422,
    ("POST", "/leads/enrich"): 422,
    ("GET", "/leads/jobs/{job}"): 404,
}
"""The status for who may, where it is not 200: 422 says what was not sent; there is no such job, profile or pipeline
of the client's own; what comes with the platform is not put away.
"""

BODIES: dict[str, dict[str, Any]] = {
    "/batches/{batch}/leads/{item}/edit": {"field": "title", "value": "CTO"},
    "/instantly/sync": {"source": "file", "file_path": "figures.json"},
}


def expected(needs: str, by: ClientBy, asker: Asker, client: str, fine: int = 200) -> int:
    """The status that a route has for somebody who asks it about a client."""
    if needs != OPEN and not asker.is_known:
        return 401
    if needs == KNOWN:
        return 200
    foreign = asker.of is not None and asker.of != client
    if by is ClientBy.NOTHING:
        return fine if needs in asker.may and asker.of is None else 403
    if foreign:
        return 404
    return fine if needs in asker.may else 403


def answers_as_said() -> dict[tuple[str, str], Any]:
    """(Method, address) -> a validator of what the OpenAPI document says of its answer."""
    said = document(ROUTES)
    found = {}
    for address, methods in said["paths"].items():
        for method, operation in methods.items():
            (status,) = (status for status in operation["responses"] if status in ("200", "202"))
            schema = operation["responses"][status]["content"]["application/json"]["schema"]
            whole = {**schema, "components": said["components"]}
            found[method.upper(), address] = jsonschema_rs.validator_for(whole, validate_formats=True)
    return found


async def test_every_route_as_everybody_about_each_client(
    desk: Desk, askers: list[Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doors, "admit_stranger", lambda _self, _request: None)  # its pace has a test of its own
    assert {(route.method, route.path) for route in ROUTES} == EXPECTED.keys()
    wrong, asked, as_said = [], 0, answers_as_said()
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
                    if route.client is ClientBy.BODY and body is not None:
                        body = {**body, "client": client}
                    sent: dict[str, Any] = {"json": body}
                    if route.takes_file:
                        sent = {"content": b"x", "headers": {"content-type": "application/octet-stream"}}
                    sent["headers"] = {**sent.get("headers", {}), **asker.headers}
                    answer = await http.request(route.method, path, params=params, **sent)
                    asked += 1
                    want = expected(needs, route.client, asker, client, FINE.get((route.method, route.path), 200))
                    if answer.status_code != want:
                        wrong.append(f"{route.method} {path} as {asker.name}: {answer.status_code}, not {want}")
                    if answer.status_code != 200 and list(answer.json()) != ["code", "message", "hint", "fields"]:
                        wrong.append(f"{route.method} {path} as {asker.name}: {answer.text}")
                    if answer.status_code == route.status:
                        as_said[route.method, route.address].validate(answer.json())
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
            ("GET", "/docs", 404),
            ("GET", "/openapi.json", 404),
            ("GET", f"{PREFIX}", 404),
            ("GET", f"{PREFIX}/openapi.json", 200),
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
            if status != 200 and path.startswith("/api"):
                assert list(answer.json()) == ["code", "message", "hint", "fields"]
