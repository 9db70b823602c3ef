"""Every page of the console as everybody: each role, each scope, each client's, and whoever is not known.

What is expected stands here by hand: a page without a line, or with another permission than its line says, is a fault.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import pytest

from enrichment_assets.web.api.doors import Doors
from enrichment_assets.web.api.routes import ClientBy, Whoever
from enrichment_assets.web.console import live
from enrichment_assets.web.console.pages import PAGES
from tests.access.askers import ORIGIN, Asker, Desk

OPEN, KNOWN = "open", "known"
EXPECTED: dict[tuple[str, str], tuple[str, int]] = {
    ("POST", "/login"): (OPEN, 422),
    ("GET", "/password"): (OPEN, 200),
    ("POST", "/password"): (OPEN, 422),
    ("POST", "/logout"): (KNOWN, 303),
    ("GET", "/"): ("batches:read", 200),
    ("GET", "/live"): ("batches:read", 200),
    ("GET", "/clients"): ("clients:read", 200),
    ("POST", "/clients"): ("clients:edit", 422),
    ("GET", "/clients/{client}"): ("clients:read", 200),
    ("POST", "/clients/{client}/budget"): ("clients:edit", 422),
    ("GET", "/clients/{client}/leads"): ("leads:read", 200),
    ("GET", "/clients/{client}/leads-file"): ("leads:read", 200),
    ("GET", "/clients/{client}/lead"): ("batches:launch", 200),
    ("POST", "/clients/{client}/lead"): ("batches:launch", 422),
    **{
        (method, f"{of}{path}"): (needs, fine)
        for of in ("/clients/{client}", "")
        for method, path, needs, fine in (
            ("GET", "/suppressions", "leads:read", 200),
            ("POST", "/suppressions", "leads:edit", 422),
            ("POST", "/suppressions/check", "leads:read", 422),
            ("POST", "/suppressions/remove", "clients:edit", 422),
            ("GET", "/persons", "persons:erase", 200),
            ("POST", "/persons/find", "persons:erase", 422),
            ("POST", "/persons/erase", "persons:erase", 422),
            ("GET", "/persons/certificates/{subject}", "persons:erase", 404),
        )
    },
    ("POST", "/clients/{client}/organisations"): ("leads:edit", 422),
    ("GET", "/clients/{client}/try/{workflow}"): ("batches:launch", 200),
    ("POST", "/clients/{client}/try/{workflow}"): ("batches:launch", 422),
    ("GET", "/clients/{client}/connections"): ("clients:read", 200),
    ("POST", "/clients/{client}/sources/{source}"): ("clients:edit", 422),
    ("GET", "/clients/{client}/events/{connection}"): ("clients:read", 200),
    ("POST", "/clients/{client}/events/{connection}"): ("clients:edit", 422),
    ("POST", "/clients/{client}/events/{connection}/replay"): ("clients:edit", 303),
    ("GET", "/clients/{client}/webhooks/{webhook}"): ("clients:read", 200),
    ("POST", "/clients/{client}/webhooks/{webhook}"): ("clients:edit", 422),
    ("POST", "/clients/{client}/webhooks/{webhook}/send-again"): ("clients:edit", 422),
    ("GET", "/clients/{client}/settings"): ("clients:read", 200),
    ("POST", "/clients/{client}/settings"): ("clients:edit", 422),
    ("GET", "/clients/{client}/gate"): ("clients:read", 200),
    ("POST", "/clients/{client}/gate"): ("clients:edit", 422),
    ("GET", "/clients/{client}/profile"): ("clients:read", 200),
    ("POST", "/clients/{client}/profile"): ("clients:edit", 422),
    ("GET", "/clients/{client}/builder"): ("clients:edit", 200),
    ("POST", "/clients/{client}/builder"): ("clients:edit", 200),
    ("GET", "/clients/{client}/upload"): ("uploads:write", 200),
    ("POST", "/clients/{client}/upload"): ("uploads:write", 422),
    ("GET", "/uploads/{upload}"): ("uploads:read", 200),
    ("GET", "/uploads/{upload}/repeats"): ("uploads:read", 503),  # the bytes of these uploads are not kept
    ("POST", "/uploads/{upload}/columns"): ("uploads:write", 303),
    ("GET", "/uploads/{upload}/launch"): ("batches:launch", 422),
    ("POST", "/uploads/{upload}/launch"): ("batches:launch", 422),
    ("GET", "/batches"): ("batches:read", 200),
    ("GET", "/batches/{batch}"): ("batches:read", 200),
    ("GET", "/batches/{batch}/live"): ("batches:read", 200),
    ("POST", "/batches/{batch}/pause"): ("batches:control", 303),
    ("POST", "/batches/{batch}/resume"): ("batches:control", 303),
    ("POST", "/batches/{batch}/cancel"): ("batches:control", 303),
    ("POST", "/batches/{batch}/retry"): ("batches:control", 200),
    ("POST", "/batches/{batch}/replay"): ("batches:control", 422),
    ("GET", "/batches/{batch}/unknown"): ("batches:read", 200),
    ("POST", "/batches/{batch}/unknown"): ("batches:control", 422),
    ("POST", "/batches/{batch}/callbacks"): ("batches:control", 303),
    ("GET", "/batches/{batch}/leads"): ("leads:read", 200),
    ("POST", "/batches/{batch}/leads-ask"): ("batches:control", 422),
    ("GET", "/batches/{batch}/leads-file"): ("leads:read", 200),
    ("GET", "/batches/{batch}/leads/{item}"): ("leads:read", 200),
    ("POST", "/batches/{batch}/leads/{item}/edit"): ("leads:edit", 303),
    ("GET", "/review"): ("reviews:read", 200),
    ("GET", "/review/drafts"): ("reviews:read", 200),
    ("GET", "/batches/{batch}/review"): ("reviews:read", 200),
    ("POST", "/batches/{batch}/review"): ("reviews:decide", 422),
    ("GET", "/careers"): ("leads:read", 200),
    ("GET", "/careers/moves"): ("leads:read", 200),
    ("GET", "/careers/changes"): ("leads:read", 200),
    ("GET", "/organisations/{organisation}"): ("leads:read", 404),
    ("GET", "/batches/{batch}/questions"): ("reviews:read", 200),
    ("POST", "/batches/{batch}/questions"): ("reviews:decide", 422),
    ("GET", "/batches/{batch}/deliveries"): ("batches:read", 200),
    ("GET", "/batches/{batch}/deliveries/live"): ("batches:read", 200),
    ("POST", "/batches/{batch}/deliveries"): ("deliveries:send", 422),
    ("GET", "/workflows"): ("workflows:read", 200),
    ("GET", "/workflows/{workflow}"): ("workflows:read", 200),
    ("GET", "/workflow-editor"): ("workflows:edit", 200),
    ("POST", "/workflow-editor"): ("workflows:edit", 422),
    ("POST", "/workflows/{workflow}/switch"): ("workflows:edit", 422),
    ("GET", "/dashboards"): ("batches:read", 200),
    ("GET", "/reports"): ("batches:read", 200),
    ("GET", "/operations"): ("batches:read", 200),
    ("GET", "/automations"): ("batches:read", 200),
    ("POST", "/automations/{kind}/{name}"): ("batches:control", 422),
    ("GET", "/alerts"): ("batches:read", 200),
    ("POST", "/alerts"): ("clients:edit", 422),
    ("POST", "/alerts/{rule}/remove"): ("clients:edit", 404),
    ("GET", "/callbacks"): ("batches:read", 200),
    ("GET", "/access"): ("access:read", 200),
    ("POST", "/access/users"): ("access:edit", 422),
    ("POST", "/access/users/{login}"): ("access:edit", 422),
    ("POST", "/access/keys"): ("access:edit", 422),
    ("POST", "/access/keys/{name}/revoke"): ("access:edit", 303),
    ("GET", "/confirm"): (KNOWN, 422),
    ("POST", "/confirm"): (KNOWN, 422),
    ("GET", "/log"): ("audit:read", 200),
}
"""What a page takes, and the status for who may: 303 leads to another page, 422 says what was not sent."""

HEAVY = (
    "/clients/{client}/leads",
    "/clients/{client}/leads-file",
    "/batches/{batch}/leads-file",
    "/batches/{batch}/leads/{item}",
    "/workflow-editor",
    "/workflows/{workflow}",
    "/reports",
    "/dashboards",
    "/careers/changes",
    "/organisations/{organisation}",
)
"""Pages that a warehouse makes: enough of those who may are shown them."""

CLIENT = "acme"
"""Whom all are asked about: askers are of all clients, of this one, or of another."""

BODIES = {"/batches/{batch}/leads/{item}/edit": "field=title&value=CTO"}


def expected(needs: str, fine: int, by: ClientBy, asker: Asker, client: str) -> int:
    """The status that a page has for somebody who asks for it about a client."""
    if needs != OPEN and not asker.is_known:
        return 401
    if needs in (OPEN, KNOWN):
        return fine
    if by is ClientBy.NOTHING:
        return fine if needs in asker.may and asker.of is None else 403
    if asker.of not in (None, client):
        return 404
    return fine if needs in asker.may else 403


async def test_every_page_as_everybody(desk: Desk, askers: list[Asker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Doors, "admit_stranger", lambda _self, _request: None)  # its pace has a test of its own
    monkeypatch.setattr(live, "LONGEST", 0.0)
    assert {(page.method, page.path) for page in PAGES} == EXPECTED.keys()
    wrong, asked, shown = [], 0, Counter[str]()
    async with desk.http() as http:
        for page in PAGES:
            needs, fine = EXPECTED[page.method, page.path]
            for asker in askers:
                path, want = desk.path(page.path, CLIENT), expected(needs, fine, page.client, asker, CLIENT)
                shown[path] += want == fine
                if page.path in HEAVY and want == fine and shown[path] > 3:
                    continue
                params = {"client": CLIENT} if page.client is ClientBy.QUERY else {}
                kind = "application/octet-stream" if page.takes_file else "application/x-www-form-urlencoded"
                sent = {"content": BODIES.get(page.path, "").encode()} if page.method == "POST" else {}
                headers = {**asker.headers, **({"origin": ORIGIN, "content-type": kind} if sent else {})}
                answer = await http.request(page.method, path, params=params, headers=headers, **sent)
                asked += 1
                if answer.status_code != want:
                    said = " ".join(re.sub("<[^>]+>", " ", answer.text).split())
                    wrong.append(f"{page.method} {path} as {asker.name}: {answer.status_code}, not {want}: {said}")
                if answer.headers.get("cache-control") != "no-store":
                    wrong.append(f"{page.method} {path}: may be stored")
                if "unsafe" in answer.headers.get("content-security-policy", "unsafe"):
                    wrong.append(f"{page.method} {path}: lets scripts in pages run")
    assert wrong == []
    assert asked > 2_000


async def test_every_table_of_every_page_is_had_as_csv_by_whoever_sees_the_page(
    desk: Desk, askers: list[Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doors, "admit_stranger", lambda _self, _request: None)
    owner, acme = (next(one for one in askers if one.name == name) for name in ("owner-all", "every-acme"))
    files = dict[str, str]()
    async with desk.http() as http:
        for page in PAGES:
            if page.method != "GET" or page.needs is Whoever.ANYBODY or page.path.endswith(("live", "-file")):
                continue
            path, params = desk.path(page.path, CLIENT), {"client": CLIENT} if page.client is ClientBy.QUERY else {}
            shown = await http.get(path, params=params, headers=owner.headers)
            names = re.findall(r'data-csv href="[^"]*csv=([a-z0-9-]+)"', shown.text)
            assert len(names) == shown.text.count("<caption>"), path
            for name in names:
                file = await http.get(path, params={**params, "csv": name}, headers=owner.headers)
                assert (file.status_code, file.headers["content-type"]) == (200, "text/csv; charset=utf-8"), path
                assert file.text.startswith("\ufeff")
                files[f"{page.path} {name}"] = file.text.removeprefix("\ufeff")
        none = await http.get("/clients", params={"csv": "nothing"}, headers=owner.headers)
        other = await http.get(desk.path("/batches/{batch}", "globex"), params={"csv": "steps"}, headers=acme.headers)
        stranger = await http.get("/batches", params={"csv": "the-newest-batches"})
    assert (none.status_code, other.status_code, stranger.status_code) == (200, 404, 401)
    assert len(files) > 25
    for name, text in files.items():
        rows = list(csv.reader(io.StringIO(text)))
        assert rows, name
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))], name
        assert {len(row) for row in rows} == {len(rows[0])}, name
        assert not [cell for cell in rows[0] if cell == "do"], name
    assert any("acme" in row for row in csv.reader(io.StringIO(files["/clients clients-that-you-see"])))


async def test_pages_of_another_client_s_are_not_there_in_the_same_words_as_what_is_not(
    desk: Desk, askers: list[Asker]
) -> None:
    acme = next(one for one in askers if one.name == "every-acme")
    async with desk.http() as http:
        for path, nothing in (
            ("/batches/{batch}", "/batches/nothing-1"),
            ("/batches/{batch}/review?draft=1/x", "/batches/nothing-1/review?draft=1/x"),
            ("/uploads/{upload}", "/uploads/99999"),
            ("/uploads/{upload}", "/uploads/x%00y"),
            ("/clients/{client}", "/clients/nobody"),
            ("/clients/acme/webhooks/{webhook}", "/clients/acme/webhooks/nothing"),
            ("/clients/acme/events/{connection}", "/clients/acme/events/connection-elsewhere"),
            ("/?client={client}", "/?client=nobody"),
        ):
            theirs = await http.get(desk.path(path, "globex"), headers=acme.headers)
            none = await http.get(nothing, headers=acme.headers)
            assert (theirs.status_code, none.status_code) == (404, 404), path
            assert _shape(theirs.text) == _shape(none.text), path


async def test_what_another_client_has_connected_is_not_switched(desk: Desk, askers: list[Asker]) -> None:
    owner = next(one for one in askers if one.name == "owner-acme")
    form = {**owner.headers, "origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    async with desk.http() as http:
        for kind, name in (("sources", "source"), ("events", "connection"), ("webhooks", "webhook")):
            for client, status in (("globex", 404), ("acme", 303)):
                path = f"/clients/acme/{kind}/{desk.connected[client][name]}"
                for to in ("off", "on"):
                    answer = await http.post(path, content=f"to={to}", headers=form)
                    assert answer.status_code == status, (path, to)
    names = {name for connected in desk.connected.values() for name in connected.values()}
    noted = [name for actor, _, name in desk.office.actions() if actor == "user:owner-acme" and name in names]
    assert sorted(noted) == sorted(2 * list(desk.connected["acme"].values()))


async def test_a_page_of_another_site_can_send_no_form_and_no_file(desk: Desk, askers: list[Asker]) -> None:
    owner = next(one for one in askers if one.name == "owner-all")
    path = desk.path("/batches/{batch}/pause", "acme")
    form = {**owner.headers, "content-type": "application/x-www-form-urlencoded"}
    async with desk.http() as http:
        for headers, status in (
            (form, 415),  # no origin: no browser's form
            ({**form, "origin": "https://evil.example"}, 403),
            ({**form, "origin": "null"}, 403),
            ({**form, "origin": ORIGIN, "sec-fetch-site": "cross-site"}, 403),
            ({**owner.headers, "origin": ORIGIN, "content-type": "multipart/form-data; boundary=x"}, 415),
            ({**owner.headers, "origin": ORIGIN, "content-type": "application/octet-stream"}, 415),
            ({**form, "origin": ORIGIN}, 303),
        ):
            answer = await http.post(path, content=b"", headers=headers)
            assert answer.status_code == status, headers


def _shape(page: str) -> str:
    """A page without the names that were asked for."""
    return re.sub(r"&#39;[^&]*&#39;|href=\"[^\"]*\"", "", page)
