"""Instantly's contract for campaigns, leads, the block list and webhooks; the bodies are those of its starter kit.

Shapes: docs/api/{campaigns,leads,webhooks,emails}.md and docs/conventions.md of the vendor's starter kit, and what
its Python client sends (`create_campaign`, `bulk_add_leads`, `list_leads`, `create_webhook` of examples 02 to 06).
"""

from __future__ import annotations

from typing import Any

import orjson

from .conftest import Client, Got, Listener

KEY = "sandbox-key"
API = "/instantly/api/v2"
DRAFT: dict[str, Any] = {  # its example 02
    "name": "Example draft",
    "campaign_schedule": {
        "schedules": [
            {
                "name": "Business hours",
                "timing": {"from": "09:00", "to": "17:00"},
                "days": {"1": True, "2": True, "3": True, "4": True, "5": True},
                "timezone": "America/Chicago",
            }
        ]
    },
    "sequences": [
        {"steps": [{"type": "email", "delay": 0, "variants": [{"subject": "Hi {{firstName}}", "body": "Hi"}]}]},
        {"steps": [{"type": "email", "delay": 0, "variants": [{"subject": "never", "body": "used"}]}]},
    ],
    "email_list": ["ana@try-harborline.example"],
    "stop_on_reply": True,
}


async def ask(sandbox: Client, method: str, path: str, body: Any = None, key: str = KEY) -> Got:
    headers = {"authorization": f"Bearer {key}", "accept": "application/json"}
    if body is not None:
        headers["content-type"] = "application/json"
    return await sandbox.ask(method, f"{API}{path}", body, headers=headers)


async def draft(sandbox: Client, **changes: Any) -> str:
    got = await ask(sandbox, "POST", "/campaigns", {**DRAFT, **changes})
    assert (got.status, got.json.get("status")) == (200, 0), got.body
    return str(got.json["id"])


async def happen(sandbox: Client, email: str, event: str, **told: Any) -> Got:
    return await sandbox.post("/_sandbox/happen/instantly", {"key": KEY, "email": email, "event": event, **told})


async def test_a_campaign_is_a_draft_with_one_sequence_until_it_is_activated(sandbox: Client) -> None:
    name = await draft(sandbox)
    kept = (await ask(sandbox, "GET", f"/campaigns/{name}")).json
    assert [len(one["steps"]) for one in kept["sequences"]] == [1], "only the first sequence is kept"
    why = (await ask(sandbox, "GET", f"/campaigns/{name}/sending-status")).json
    assert (why["diagnostics"], why["summary"]["status"]) == (None, "campaign_draft")

    patched = await ask(sandbox, "PATCH", f"/campaigns/{name}", {"email_list": ["ben1@get-harborline.example"]})
    assert patched.json["email_list"] == ["ben1@get-harborline.example"], "the list is replaced"
    assert (await ask(sandbox, "POST", f"/campaigns/{name}/activate", {})).json["status"] == 1
    why = (await ask(sandbox, "GET", f"/campaigns/{name}/sending-status")).json
    assert why["diagnostics"]["status"] in {"waiting_for_leads", "all_accounts_unhealthy"}

    found = (await ask(sandbox, "GET", "/campaigns?search=EXAMPLE&limit=100")).json
    assert [one["id"] for one in found["items"]] == [name]
    assert found["next_starting_after"] == name, "the cursor comes with the last page too"
    after = (await ask(sandbox, "GET", f"/campaigns?search=example&starting_after={name}")).json
    assert after == {"items": []}
    assert await draft(sandbox) != name, "a second one of that name is another campaign"
    assert (await ask(sandbox, "DELETE", f"/campaigns/{name}")).status == 200
    assert (await ask(sandbox, "GET", f"/campaigns/{name}")).status == 404


async def test_a_campaign_with_an_unknown_member_or_a_zone_outside_the_list_is_refused(sandbox: Client) -> None:
    def zoned(zone: str) -> dict[str, Any]:
        [schedule] = DRAFT["campaign_schedule"]["schedules"]
        return {**DRAFT, "campaign_schedule": {"schedules": [{**schedule, "timezone": zone}]}}

    step = {"type": "email", "delay": 2, "variants": [{"subject": "a", "body": "b"}]}
    refused = [
        ({**DRAFT, "timezone": "UTC"}, "additional properties"),
        ({"name": "no schedule"}, "campaign_schedule"),
        (zoned("America/New_York"), "allowed values"),
        (zoned("Europe/London"), "allowed values"),
        (zoned("America/Los_Angeles"), "allowed values"),
        ({**DRAFT, "sequences": [{"steps": [{**step, "type": "linkedin"}]}]}, "type"),
        ({**DRAFT, "sequences": [{"steps": [{**step, "delay_unit": "weeks"}]}]}, "delay_unit"),
        ({**DRAFT, "sequences": [{"steps": [{"type": "email", "variants": []}]}]}, "delay"),
    ]
    for body, word in refused:
        got = await ask(sandbox, "POST", "/campaigns", body)
        assert (got.status, got.json["statusCode"], got.json["error"]) == (400, 400, "Bad Request"), body
        assert word in got.json["message"]
    assert (await ask(sandbox, "POST", "/campaigns", zoned("America/Detroit"))).status == 200
    limited = await ask(sandbox, "POST", "/campaigns", DRAFT, key="mine+campaigns:read")
    assert (limited.status, limited.json["error"]) == (403, "Forbidden")


async def test_leads_are_added_in_bulk_and_the_answer_names_those_that_were(sandbox: Client) -> None:
    name = await draft(sandbox)
    await ask(sandbox, "POST", "/block-lists-entries", {"bl_value": "blocked.example"})
    leads = [
        {"email": "ann@acme.example", "first_name": "Ann", "custom_variables": {"starter": "Hello", "score": 8.5}},
        {"email": "no address"},
        {"email": "bob@blocked.example"},
        {"email": "ANN@acme.example"},
        {"email": "cy@acme.example", "personalization": "Hi Cy"},
    ]
    added = (await ask(sandbox, "POST", "/leads/add", {"campaign_id": name, "leads": leads})).json
    counts = {key: added[key] for key in ("total_sent", "leads_uploaded", "in_blocklist", "invalid_email_count")}
    assert counts == {"total_sent": 5, "leads_uploaded": 2, "in_blocklist": 1, "invalid_email_count": 1}
    assert added["duplicate_email_count"] == 1
    assert [(one["index"], one["email"]) for one in added["created_leads"]] == [
        (0, "ann@acme.example"),
        (4, "cy@acme.example"),
    ]
    again = (await ask(sandbox, "POST", "/leads/add", {"campaign_id": name, "leads": leads[:1]})).json
    assert (again["leads_uploaded"], again["duplicated_leads"], again["created_leads"]) == (0, 1, [])

    refused: list[dict[str, Any]] = [
        {"campaign_id": name, "list_id": "l1", "leads": leads[:1]},
        {"leads": leads[:1]},
        {"campaign_id": name, "leads": [{"email": f"p{number}@acme.example"} for number in range(1001)]},
        {"campaign_id": name, "leads": [{"email": "x@acme.example", "custom_variables": {"tags": ["a", "b"]}}]},
        {"campaign_id": name, "leads": [{"email": "x@acme.example", "custom_variables": {"who": {"a": 1}}}]},
        {"campaign_id": name, "leads": [{"email": "x@acme.example", "company": "not a member"}]},
    ]
    assert [(await ask(sandbox, "POST", "/leads/add", body)).status for body in refused] == [400] * 6

    job = (
        await ask(sandbox, "POST", "/leads/add", {"list_id": "l1", "leads": leads, "verify_leads_on_import": True})
    ).json
    states = [(await ask(sandbox, "GET", f"/background-jobs/{job['background_job_id']}")).json["status"] for _ in "abc"]
    assert states == ["pending", "in-progress", "success"]


async def test_variables_are_read_back_as_payload_and_a_change_replaces_them_all(sandbox: Client) -> None:
    name = await draft(sandbox)
    leads = [{"email": f"p{number}@acme.example", "custom_variables": {"a": 1, "b": "two"}} for number in range(3)]
    added = (await ask(sandbox, "POST", "/leads/add", {"campaign_id": name, "leads": leads})).json
    first = added["created_leads"][0]["id"]
    page = (await ask(sandbox, "POST", "/leads/list", {"campaign": name, "limit": 2})).json
    assert [one["payload"] for one in page["items"]] == [{"a": 1, "b": "two"}] * 2
    rest = {"campaign": name, "limit": 2, "starting_after": page["next_starting_after"]}
    last = (await ask(sandbox, "POST", "/leads/list", rest)).json
    assert [one["email"] for one in last["items"]] == ["p2@acme.example"] and last["next_starting_after"]
    ended = (await ask(sandbox, "POST", "/leads/list", {**rest, "starting_after": last["next_starting_after"]})).json
    assert ended == {"items": []}, "a page without items is the end, not a page without a cursor"
    found = (await ask(sandbox, "POST", "/leads/list", {"search": "P1@acme.example", "interest_status": 1})).json
    assert [one["email"] for one in found["items"]] == ["p1@acme.example"], "the interest is not looked at"

    changed = await ask(sandbox, "PATCH", f"/leads/{first}", {"custom_variables": {"c": None}})
    assert changed.json["payload"] == {"c": None}, "what is not named is gone"
    moved = {"lead_email": "p0@acme.example", "interest_value": 1, "campaign_id": name}
    assert (await ask(sandbox, "POST", "/leads/update-interest-status", moved)).status == 202
    assert (await ask(sandbox, "GET", f"/leads/{first}")).json["lt_interest_status"] == 1
    assert [(await ask(sandbox, "DELETE", f"/leads/{first}")).status for _ in "ab"] == [200, 404]


async def test_what_is_blocked_twice_keeps_its_id(sandbox: Client) -> None:
    first = (await ask(sandbox, "POST", "/block-lists-entries", {"bl_value": "ann@acme.example"})).json
    again = (await ask(sandbox, "POST", "/block-lists-entries", {"bl_value": "ANN@acme.example"})).json
    assert first["id"] == again["id"] and first["is_domain"] is False
    await ask(sandbox, "POST", "/block-lists-entries", {"bl_value": "acme.example"})
    found = (await ask(sandbox, "GET", "/block-lists-entries?search=ann@&limit=100")).json["items"]
    assert [one["bl_value"] for one in found] == ["ann@acme.example"]
    assert (await ask(sandbox, "DELETE", f"/block-lists-entries/{first['id']}")).status == 200


async def test_a_webhook_is_told_flat_bodies_without_an_id_and_is_disabled_after_three_tries(
    sandbox: Client, listener: Listener
) -> None:
    await sandbox.configure(hold_callbacks=True)
    name = await draft(sandbox)
    lead = {"email": "ann@acme.example", "first_name": "Ann", "custom_variables": {"starter": "Hello"}}
    await ask(sandbox, "POST", "/leads/add", {"campaign_id": name, "leads": [lead]})
    hook = (
        await ask(
            sandbox,
            "POST",
            "/webhooks",
            {"target_hook_url": listener.url, "event_type": "all_events", "headers": {"x-shared-secret": "s"}},
        )
    ).json
    for event in ("sent", "clicked", "out_of_office", "replied"):
        assert (await happen(sandbox, "ann@acme.example", event)).status == 200
    await sandbox.post("/_sandbox/flush-callbacks")
    told = [orjson.loads(body) for body in listener.bodies]
    names = [one["event_type"] for one in told]
    assert names == ["email_sent", "link_clicked", "auto_reply_received", "lead_out_of_office", "reply_received"]
    assert not any("id" in one or "event_id" in one for one in told)
    assert told[-1]["starter"] == "Hello" and told[-1]["firstName"] == "Ann", "variables stand at the top"

    listener.status = 503
    await happen(sandbox, "ann@acme.example", "unsubscribed")
    for _ in range(3):
        await sandbox.post("/_sandbox/flush-callbacks")
    assert (await ask(sandbox, "GET", f"/webhooks/{hook['id']}")).json["status"] == -1
    events = (await ask(sandbox, "GET", "/webhook-events?limit=100&success=false")).json["items"]
    assert [(one["retry_count"], one["will_retry"]) for one in events] == [(2, False), (1, True), (0, True)]
    assert {one["payload"]["event_type"] for one in events} == {"lead_unsubscribed"}

    await happen(sandbox, "ann@acme.example", "bounced")
    assert (await sandbox.post("/_sandbox/flush-callbacks")).json["flushed"] == 0, "a disabled one is told nothing"
    assert (await ask(sandbox, "POST", f"/webhooks/{hook['id']}/resume", {})).json["status"] == 1


async def test_the_inbox_leaves_nulls_out_and_looks_at_no_lead_id(sandbox: Client) -> None:
    name = await draft(sandbox)
    leads = [{"email": "ann@acme.example"}, {"email": "bob@acme.example"}]
    await ask(sandbox, "POST", "/leads/add", {"campaign_id": name, "leads": leads})
    await happen(sandbox, "ann@acme.example", "replied", text="Yes please")
    await happen(sandbox, "bob@acme.example", "auto_replied")
    mails = (await ask(sandbox, "GET", "/emails?email_type=received&lead_id=nobody")).json["items"]
    assert [(mail["lead"], mail["ue_type"], mail.get("i_status")) for mail in mails] == [
        ("bob@acme.example", 2, 0),
        ("ann@acme.example", 2, None),
    ]
    assert not any("is_auto_reply" in mail for mail in mails)
    await sandbox.configure(limits="documented")
    asked = [(await ask(sandbox, "GET", "/emails")).status for _ in range(21)]
    assert asked == [200] * 20 + [429]
