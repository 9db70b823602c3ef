"""Contacts that HubSpot has before we come: adopted by their address, made where there are none, taken from nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from enrichment_assets.domain.bulk_answers import BulkReader, Missing, Place
from enrichment_assets.domain.jsontext import json_bytes, parse_json
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.providers.hubspot import HubSpot
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.transport import build_client
from tests.destinations.test_checking import example

CONTACTS = "/crm/objects/2026-03/contacts"


class Portal:
    """An account at the simulator with the property of our key."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.base = f"{sandbox.url}/hubspot"
        self.http = httpx.Client(base_url=self.base, headers={"authorization": "Bearer pat"})
        told = {"name": "enrichment_key", "type": "string", "hasUniqueValue": True}
        self.http.post("/crm/v3/properties/contacts", json=told).raise_for_status()

    def made(self, **properties: str) -> str:
        return str(self.http.post(CONTACTS, json={"properties": properties}).json()["id"])

    def contacts(self, *names: str) -> list[list[Any]]:
        shown = self.http.get(CONTACTS, params={"limit": 100, "properties": ",".join(names)}).json()["results"]
        return [[one["properties"][name] for name in names] for one in shown]

    def upsert(self, *inputs: dict[str, Any]) -> Answer:
        provider, secrets = HubSpot(self.base), {"token": "pat"}
        rendered = RenderedRequest("POST", f"{CONTACTS}/batch/upsert", content=json_bytes({"inputs": inputs}))

        async def held() -> Answer:
            request = provider.authorise(rendered, secrets, self.base)
            conversation = provider.conversation(request, secrets)
            assert conversation is not None
            async with build_client() as client:
                return await converse(client, conversation, 20.0)

        return asyncio.run(held())


def contact(key: str, **properties: str) -> dict[str, Any]:
    return {"id": key, "idProperty": "enrichment_key", "objectWriteTraceId": key, "properties": properties,
            "if_empty": ["phone"], "once": ["hs_lead_status"]}  # fmt: skip


def test_a_contact_that_was_there_gets_our_key_and_keeps_what_is_its_own(sandbox: SandboxProcess) -> None:
    portal = Portal(sandbox)
    portal.made(email="ann@acme.example", phone="rep's", hs_lead_status="CONNECTED", firstname="Anna")
    portal.made(email="bob@acme.example")
    told = [contact(f"k-{name}", email=f"{name}@Acme.example", firstname=name, phone="1", hs_lead_status="NEW")
            for name in ("ann", "bob", "cid")]  # fmt: skip
    names = ("email", "enrichment_key", "firstname", "phone", "hs_lead_status")
    expected = [
        ["ann@acme.example", "k-ann", "ann", "rep's", "CONNECTED"],
        ["bob@acme.example", "k-bob", "bob", "1", None],
        ["cid@acme.example", "k-cid", "cid", "1", "NEW"],
    ]
    assert [portal.upsert(*told).status, portal.contacts(*names)] == [200, expected]
    assert [portal.upsert(*told).status, len(portal.contacts("email"))] == [200, 3]  # a lost answer: none twice


def test_of_a_hundred_one_that_fails_fails_alone_whatever_the_order_of_the_answer(sandbox: SandboxProcess) -> None:
    portal = Portal(sandbox)
    inputs = [contact(f"k{number}", email=f"p{number}@acme.example") for number in range(98)]
    inputs += [contact("bad", email="no address"), contact("twin", email="P7@acme.example", city="Rome")]
    portal.upsert(contact("k7", email="p7@acme.example"))
    answer = portal.upsert(*inputs)
    assert answer.status == 207
    keys = tuple(one["id"] for one in inputs)
    parts = BulkReader(example("hubspot-contacts")).parts(answer, Place(0, 100, keys))
    failed = {}
    for key, part in zip(keys, parts, strict=True):
        assert not isinstance(part, Missing), key
        verdict = HubSpot(portal.base).classify("contacts", part)
        if verdict.error is not None:
            failed[key] = verdict.message
        else:
            assert parse_json(part.body)["properties"]["enrichment_key"] == key
    seventh = next(number for number, key in enumerate(portal.contacts("enrichment_key")) if key == ["k7"])
    assert failed == {
        "bad": "HTTP 400: HubSpot refused it: Email address no address is invalid",
        "twin": "HTTP 400: another record has what only one may have "
        f"(record {101 + seventh}): merge the two in HubSpot",
    }
    assert len(portal.contacts("email")) == 98


def test_a_batch_without_addresses_is_one_request_and_a_limit_in_the_middle_ends_it(sandbox: SandboxProcess) -> None:
    portal = Portal(sandbox)
    inputs = [contact("k1", firstname="Ann"), contact("k2", email="bob@acme.example")]
    assert portal.upsert(inputs[0]).status == 200
    sandbox.configure(providers={"hubspot": {"quota": 3}})  # one property, one batch, one look: the next is refused
    assert portal.upsert(*inputs).status == 429
    sandbox.configure(providers={"hubspot": None})
    assert portal.contacts("enrichment_key") == [["k1"]]
