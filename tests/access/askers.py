"""Everybody who can ask the API or the console, over an installation with a batch and an upload of each client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from enrichment_assets.domain.access import SCOPES, Role
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.access.api_keys import create_key, revoke_key
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.web.site import build_site
from tests.access.connected import connect_all
from tests.access.office import Office
from tests.actors import TESTER
from tests.harness.databases import PostgresServer
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

ORIGIN = "http://127.0.0.1:8730"
BATCH = {"acme": "acme-1-apollo", "globex": "globex-1-apollo"}

_READ = ("batches", "clients", "leads", "pulls", "reviews", "uploads", "workflows")
ROLES = {"reader": {f"{noun}:read" for noun in _READ}}
ROLES["reviewer"] = ROLES["reader"] | {"leads:edit", "reviews:decide"}
ROLES["operator"] = ROLES["reviewer"] | {
    "batches:control",
    "batches:launch",
    "deliveries:send",
    "uploads:write",
    "clients:edit",
    "workflows:edit",
    "pulls:sync",
    "audit:read",
}
ROLES["owner"] = ROLES["operator"] | {"persons:erase", "access:read", "access:edit"}


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
    uploads: dict[str, int]
    build: Build
    connected: dict[str, dict[str, str]] = field(default_factory=dict)

    def http(self) -> httpx.AsyncClient:
        app = build_site(self.office.hq, self.office.settings, [ORIGIN])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)

    def path(self, path: str, client: str) -> str:
        known = {
            "batch": BATCH[client],
            "item": self.items[client],
            "upload": self.uploads[client],
            "client": client,
            "job": 999_999,
            "workflow": "normalise-name",
            "pipeline": "research-and-write",
            "gate_rule": "fresh",
            "login": f"reader-{client}",
            "name": "gone",
            "subject": "0123456789abcdef",
            "rule": 999_999,
            "organisation": "org_0123456789abcdef",
            "kind": "sensor",
            **self.connected[client],
        }
        for name, value in known.items():
            path = path.replace("{" + name + "}", str(value))
        return path


@pytest.fixture(scope="session")
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
        uploads = hq.execute("select c.slug, u.id from uploads u join clients c on c.id = u.client_id").fetchall()
    with open_hq(settings) as handle:
        office = Office(handle, settings, Signing.of(settings))
        items, numbers = ({row["slug"]: int(row["id"]) for row in found} for found in (rows, uploads))
        connected = {client: connect_all(handle, client) for client in BATCH}
        yield Desk(office, items, numbers, build, connected)
    for name in names:
        postgres_server.drop(name)


@pytest.fixture(scope="session")
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
