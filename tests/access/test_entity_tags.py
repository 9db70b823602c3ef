"""Entity tags of what is configured: a program that changes a thing has seen it, or says nothing of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.web.api.routes import PREFIX, ROUTES, ClientBy
from tests.access.askers import ORIGIN, Desk
from tests.actors import TESTER

STEP = "match-person-via-apollo"
EVERYBODYS = ("/clients", "/audit")
"""Lists that are read without naming a client."""


@pytest.fixture(scope="module")
def headers(desk: Desk) -> dict[str, str]:
    """A program's; what it changes is a client's of this file, for other files ask about the others."""
    add_client(desk.office.hq, "tags", actor=TESTER)
    return {"authorization": f"Bearer {create_key(desk.office.hq, 'tags', SCOPES, actor=TESTER).text}"}


def titled(shown: dict[str, Any], title: str) -> dict[str, Any]:
    """A definition as it was shown, with another title."""
    return {
        "definition": {
            **{name: value for name, value in shown.items() if name not in ("origin", "version", "client")},
            "title": title,
        }
    }


THINGS: list[tuple[str, str, Any, Any]] = [
    (
        f"/clients/tags/configs/{STEP}",
        f"/clients/tags/configs/{STEP}",
        lambda _: {"set": {"limits.per_second": 2}},
        lambda _: {"set": {"limits.per_second": 3}},
    ),
    (
        "/clients/tags/gate",
        "/clients/tags/gate/fresh",
        lambda _: {"set": {"on": "false"}},
        lambda _: {"set": {"on": "true"}},
    ),
    (
        "/clients/tags/budgets",
        "/clients/tags/budgets",
        lambda _: {"amount": "5", "workflow": STEP},
        lambda _: {"amount": "6", "workflow": STEP},
    ),
    (
        "/clients/tags/profile",
        "/clients/tags/profile",
        lambda _: {"set": {"offer": "Maps of the sea"}},
        lambda _: {"set": {"offer": "Maps of the sky"}},
    ),
    (
        "/workflows/normalise-name",
        "/workflows",
        lambda shown: titled(shown, "Ada's"),
        lambda shown: titled(shown, "Ben's"),
    ),
    (
        "/workflows/normalise-name",
        "/workflows/normalise-name/switch",
        lambda _: {"enabled": False},
        lambda _: {"enabled": True},
    ),
    (
        "/pipelines/own?client=tags",
        "/pipelines?client=tags",
        lambda shown: titled(shown, "Ada's"),
        lambda shown: titled(shown, "Ben's"),
    ),
]
"""Where a thing is read, where it is changed, and two changes of it."""


async def test_of_two_who_saw_the_same_the_second_is_told_and_changes_nothing(
    desk: Desk, headers: dict[str, str]
) -> None:
    async with desk.http() as http:
        first = {"definition": {"slug": "own", "title": "Own", "steps": ["normalise-name"]}}
        new = {**headers, "if-none-match": "*"}
        made = await http.post(f"{PREFIX}/pipelines?client=tags", json=first, headers=new)
        assert (made.status_code, made.json()["change"]) == (200, "added")
        again = await http.post(f"{PREFIX}/pipelines?client=tags", json=first, headers=new)
        assert (again.status_code, again.json()["code"]) == (412, "config.changed_meanwhile")
        profile = {"set": {"offer": "Maps"}}
        assert (await http.post(f"{PREFIX}/clients/tags/profile", json=profile, headers=headers)).status_code == 200
        for where, to, by_ada, by_ben in THINGS:
            shown = await http.get(PREFIX + where, headers=headers)
            assert shown.status_code == 200, shown.text
            tag = shown.headers["etag"]
            same = await http.get(PREFIX + where, headers={**headers, "if-none-match": f'"other", W/{tag}'})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
            ada, ben = by_ada(shown.json()), by_ben(shown.json())
            seen = {**headers, "if-match": tag}
            saved = await http.post(PREFIX + to, json=ada, headers=seen)
            assert saved.status_code == 200, saved.text
            late = await http.post(PREFIX + to, json=ben, headers=seen)
            assert (late.status_code, late.json()["code"]) == (412, "config.changed_meanwhile"), to
            now = await http.get(PREFIX + where, headers={**headers, "if-none-match": tag})
            assert (now.status_code, now.headers["etag"]) == (200, saved.headers["etag"]), where
            assert now.json() != shown.json()
            knowing = await http.post(PREFIX + to, json=ben, headers={**headers, "if-match": now.headers["etag"]})
            assert knowing.status_code == 200, knowing.text
            assert (await http.post(PREFIX + to, json=ada, headers={**headers, "if-match": "*"})).status_code == 200
            assert (await http.post(PREFIX + to, json=ben, headers=headers)).status_code == 200  # says nothing
            for wrong in ({"if-match": "5f2c"}, {"if-none-match": tag}, {"if-match": "*", "if-none-match": "*"}):
                answer = await http.post(PREFIX + to, json=ada, headers={**headers, **wrong})
                assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), wrong
            weak = await http.post(PREFIX + to, json=ada, headers={**headers, "if-match": f"W/{tag}"})
            assert weak.status_code == 412


async def test_what_is_put_away_is_there_no_more_for_who_has_seen_it(desk: Desk, headers: dict[str, str]) -> None:
    definition = {"slug": "gone", "title": "Gone", "steps": ["normalise-name"]}
    async with desk.http() as http:
        saved = await http.post(f"{PREFIX}/pipelines?client=tags", json={"definition": definition}, headers=headers)
        put = await http.post(f"{PREFIX}/pipelines/gone/archive?client=tags", json={}, headers=headers)
        assert (put.status_code, put.json()["change"]) == (200, "archived")
        listed = (await http.get(f"{PREFIX}/pipelines?client=tags", headers=headers)).json()["items"]
        assert "gone" not in {one["slug"] for one in listed}
        seen = {**headers, "if-match": saved.headers["etag"]}
        body = {"definition": {**definition, "title": "Back"}}
        late = await http.post(f"{PREFIX}/pipelines?client=tags", json=body, headers=seen)
        assert (late.status_code, "not there any more" in late.json()["message"]) == (412, True)
        back = await http.post(f"{PREFIX}/pipelines?client=tags", json=body, headers={**headers, "if-none-match": "*"})
        assert back.status_code == 200


async def test_every_list_is_read_page_by_page_and_comes_to_the_whole(desk: Desk) -> None:
    lists = [route for route in ROUTES if route.method == "GET" and route.gives_many]
    assert all({"after", "limit"} <= {one.name for one in route.takes} for route in lists)
    for name in ("lister-1", "lister-2", "lister-3"):
        desk.office.add(name, Role.OWNER)
        create_key(desk.office.hq, f"of {name}", SCOPES, actor=TESTER)
    headers = {"cookie": f"enrich_session={desk.office.log_in('lister-3').session}"}
    longer = set()
    async with desk.http() as http:
        for route in lists:
            path = desk.path(route.address, "acme")
            shared = {"client": "acme"} if route.client is ClientBy.QUERY and route.path not in EVERYBODYS else {}
            if route.path.endswith("/plan"):
                shared = {"to": "deliver-to-webhook"}
            answer = await http.get(path, params={**shared, "limit": 500}, headers=headers)
            assert answer.status_code == 200, answer.text
            whole = answer.json()
            assert whole["next"] is None, path
            parts, after = [], {}
            for _ in range(6):
                part = await http.get(path, params={**shared, "limit": 2, **after}, headers=headers)
                assert part.status_code == 200, part.text
                parts += part.json()["items"]
                after = {"after": part.json()["next"]}
                if after["after"] is None:
                    break
            assert parts == whole["items"][: len(parts)], path
            assert len(parts) in (len(whole["items"]), 12), path
            if len(parts) > 2:
                longer.add(route.path)
    assert {"/workflows", "/pipelines", "/users", "/api-keys", "/batches/{batch}/leads", "/audit"} <= longer


async def test_a_file_is_taken_from_a_program_and_is_the_same_upload_again(desk: Desk, headers: dict[str, str]) -> None:
    path, sent = f"{PREFIX}/uploads", {**headers, "content-type": "application/octet-stream", "idempotency-key": "f1"}
    data = b"First Name,Company Domain\nAda,byron.example\n"
    async with desk.http() as http:
        first = await http.post(path, params={"client": "acme", "name": "list.csv"}, content=data, headers=sent)
        assert (first.status_code, first.json()["rows"], first.json()["filename"]) == (200, 1, "list.csv")
        again = await http.post(path, params={"client": "acme", "name": "list.csv"}, content=data, headers=sent)
        assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
        other = await http.post(path, params={"client": "acme", "name": "list.csv"}, content=b"a\n1\n", headers=sent)
        assert (other.status_code, other.json()["code"]) == (422, "request.key_reused")
        plain = {**headers, "content-type": "application/json"}
        refused = await http.post(path, params={"client": "acme", "name": "x"}, content=b"{}", headers=plain)
        assert refused.status_code == 415
        for wrong in ({"client": "acme"}, {"client": "acme", "name": "\x01"}, {"name": "list.csv"}):
            answer = await http.post(path, params=wrong, content=data, headers={**sent, "idempotency-key": "f2"})
            assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), wrong
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport((desk.http())._transport.app),
        base_url=ORIGIN,  # type: ignore[attr-defined]
    ) as stranger:
        kind = {"content-type": "application/octet-stream"}
        assert (await stranger.post(path, content=data, headers=kind)).status_code == 401
