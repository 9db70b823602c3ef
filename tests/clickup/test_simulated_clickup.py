"""The simulated ClickUp has the traps of the real one. Sources: developer.clickup.com and reports from the field."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cupt.api import ClickUpClient
from cupt.exceptions import APIError
from cupt.services.field_service import FieldService, display_value

from enrichment_assets.sandbox import SandboxProcess
from tests.clickup.contract import hold_to_contract
from tests.harness.sandbox import as_new

TOKEN = "pk_traps"
RITA = "rita@fairway.example"


class ClickUp:
    """A program that calls the simulator, and the people who work in it."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = as_new(sandbox)
        self.http = httpx.Client(
            base_url=f"{sandbox.url}/clickup/api/v2",
            headers={"authorization": TOKEN},
            event_hooks={"response": [hold_to_contract]},
        )
        self.places = self.happen("places")
        self.list = next(one["id"] for one in self.places["lists"] if one["folder"]["name"] == "High-end")
        fields = self.ok("GET", f"/list/{self.list}/field")["fields"]
        self.fields = {one["name"]: one for one in fields}

    def happen(self, action: str, **told: Any) -> dict[str, Any]:
        return self.sandbox.happen("clickup", action=action, workspace=TOKEN, **told)

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        answer = self.http.request(method, path, json=body, params=query)
        return answer.status_code, answer.json() if answer.content else None

    def ok(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        status, content = self.ask(method, path, body, **query)
        assert status in (200, 204), content
        return content

    def code(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, str]:
        status, content = self.ask(method, path, body, **query)
        return status, content["ECODE"]

    def id(self, name: str) -> str:
        return str(self.fields[name]["id"])

    def create(self, name: str, **values: Any) -> str:
        fields = [{"id": self.id(one.replace("_", " ")), "value": value} for one, value in values.items()]
        return str(self.ok("POST", f"/list/{self.list}/task", {"name": name, "custom_fields": fields})["id"])

    def value(self, task: str, name: str) -> Any:
        fields = self.ok("GET", f"/task/{task}")["custom_fields"]
        return next(one for one in fields if one["name"] == name).get("value", "no value")

    def found(self, name: str, operator: str, value: str, **query: str) -> list[str]:
        asked = json.dumps([{"field_id": self.id(name), "operator": operator, "value": value}])
        content = self.ok("GET", f"/list/{self.list}/task", custom_fields=asked, **query)
        return [one["id"] for one in content["tasks"]]


@pytest.fixture
def clickup(sandbox_process: SandboxProcess) -> Iterator[ClickUp]:
    made = ClickUp(sandbox_process)
    yield made
    made.http.close()


def test_what_is_written_read_and_told_of_a_field_differs_by_its_type(clickup: ClickUp) -> None:
    hook = {"endpoint": "http://127.0.0.1:9/lost", "events": ["*"]}
    clickup.ok("POST", f"/team/{clickup.places['team']}/webhook", hook)
    budget = clickup.fields["Segment"]["type_config"]["options"][1]
    task = clickup.create("Ann Lee", Segment=budget["id"], Confidence=8, Phone="+1 406 555 0100")
    assert clickup.value(task, "Segment") == 1  # the option's orderindex, an int
    assert clickup.value(task, "Confidence") == "8"  # a number as text
    assert clickup.value(task, "Email") == "no value"  # no member at all, not a null
    path = f"/task/{task}/field/"
    assert clickup.code("POST", path + clickup.id("Segment"), {"value": "budget"}) == (400, "FIELD_011")
    assert clickup.code("POST", path + clickup.id("Confidence"), {"value": "8"}) == (400, "FIELD_011")
    assert clickup.code("POST", path + clickup.id("Phone"), {"value": "406 555 0100"}) == (400, "FIELD_011")
    assert clickup.code("POST", path + clickup.id("Tags"), {"value": ["range"]}) == (400, "FIELD_011")
    assert clickup.code("POST", path + "Segment", {"value": budget["id"]}) == (400, "FIELD_057")
    assert clickup.ok("DELETE", path + clickup.id("Segment")) == {}
    assert clickup.value(task, "Segment") == "no value"


def test_an_update_leaves_custom_fields_out_and_says_that_all_is_well(clickup: ClickUp) -> None:
    task = clickup.create("Ann Lee", Email="ann@pines.example")
    changed = {"name": "Ann L.", "custom_fields": [{"id": clickup.id("Email"), "value": "new@pines.example"}]}
    assert clickup.ok("PUT", f"/task/{task}", changed)["name"] == "Ann L."
    assert clickup.value(task, "Email") == "ann@pines.example"


def test_one_equals_sign_finds_what_contains_two_find_what_is_exactly_it(clickup: ClickUp) -> None:
    one, ten = clickup.create("One", Enrichment_Key="lead-1"), clickup.create("Ten", Enrichment_Key="lead-10")
    assert clickup.found("Enrichment Key", "=", "lead-1") == [ten, one]
    assert clickup.found("Enrichment Key", "==", "lead-1") == [one]
    clickup.ok("PUT", f"/task/{one}", {"status": "closed"})
    assert clickup.found("Enrichment Key", "==", "lead-1") == []
    assert clickup.found("Enrichment Key", "==", "lead-1", include_closed="true") == [one]
    clickup.ok("PUT", f"/task/{one}", {"archived": True})
    assert clickup.found("Enrichment Key", "==", "lead-1", include_closed="true") == []
    assert clickup.found("Enrichment Key", "==", "lead-1", include_closed="true", archived="true") == [one]


def test_a_deleted_task_takes_fields_and_is_not_found(clickup: ClickUp) -> None:
    task = clickup.create("Ann Lee", Enrichment_Key="k")
    clickup.happen("delete", task=task)
    assert clickup.ok("POST", f"/task/{task}/field/{clickup.id('Email')}", {"value": "a@b.example"}) == {}
    assert clickup.code("GET", f"/task/{task}") == (404, "ITEM_013")
    assert clickup.code("PUT", f"/task/{task}", {"name": "x"}) == (404, "ITEM_013")
    assert clickup.found("Enrichment Key", "==", "k", include_closed="true") == []


def test_permissions_and_tokens_are_both_401_and_told_apart_by_their_codes(clickup: ClickUp) -> None:
    clickup.happen("permission", list=clickup.list)
    assert clickup.code("POST", f"/list/{clickup.list}/task", {"name": "x"}) == (401, "ACCESS_083")
    assert clickup.code("GET", "/team/1/space") == (401, "OAUTH_027")
    answer = clickup.http.get("/team", headers={"authorization": "invalid"})
    assert (answer.status_code, answer.json()["ECODE"]) == (401, "OAUTH_025")


def test_every_value_that_is_ever_written_counts_against_the_plan(clickup: ClickUp) -> None:
    clickup.happen("plan", field_writes=3)
    task = clickup.create("Ann Lee", Email="a@b.example", Confidence=1)
    path = f"/task/{task}/field/{clickup.id('Confidence')}"
    assert clickup.ok("POST", path, {"value": 2}) == {}
    assert clickup.code("POST", path, {"value": 3}) == (400, "FIELD_033")
    again = {"name": "Bo", "custom_fields": [{"id": clickup.id("Email"), "value": "b@b.example"}]}
    assert clickup.code("POST", f"/list/{clickup.list}/task", again) == (400, "FIELD_033")
    assert len(clickup.happen("tasks")["tasks"]) == 1, "a refused call leaves no half of a task"


def test_fields_of_a_list_are_those_of_all_places_above_it_and_of_other_places_their_own(clickup: ClickUp) -> None:
    space, folder = clickup.places["spaces"][0], clickup.places["folders"][0]["id"]
    own = {one["name"] for one in clickup.ok("GET", f"/folder/{folder}/field")["fields"]}
    assert own == {"Next Step"}
    assert {"Next Step", "Tags", "Segment", "Enrichment Key"} <= set(clickup.fields)
    clickup.happen("add-field", name="Phone", type="phone", home=space)
    names = [one["name"] for one in clickup.ok("GET", f"/list/{clickup.list}/field")["fields"]]
    assert names.count("Phone") == 2


def test_webhooks_are_signed_tell_a_status_twice_and_stop_without_a_word(clickup: ClickUp) -> None:
    team = clickup.places["team"]
    hook = {"endpoint": f"{clickup.sandbox.url}/webhook/events", "events": ["taskUpdated", "taskStatusUpdated"]}
    made = clickup.ok("POST", f"/team/{team}/webhook", hook)["webhook"]
    assert clickup.code("POST", f"/team/{team}/webhook", hook) == (400, "OAUTH_171")
    task = clickup.create("Ann Lee")
    clickup.happen("status", task=task, status="contacted", by=RITA)
    clickup.happen("field", task=task, field="Segment", value="both")
    clickup.sandbox.flush_callbacks()
    told = [one["message"] for one in clickup.sandbox.messages()["messages"]["webhook"]]
    items = [(one["event"], item) for one in told for item in one["history_items"]]
    moved = [(event, item["id"]) for event, item in items if item["data"].get("status_type") == "custom"]
    assert sorted(event for event, _ in moved) == ["taskStatusUpdated", "taskUpdated"]
    assert len({number for _, number in moved}) == 1, "one item under two events"
    item = next(item for _, item in items if item["field"] == "custom_field")
    assert item["after"] == clickup.fields["Segment"]["type_config"]["options"][2]["id"]
    assert (item["custom_field"]["name"], item["user"]["email"]) == ("Segment", RITA)

    clickup.ok("PUT", f"/webhook/{made['id']}", {**hook, "endpoint": f"{clickup.sandbox.url}/gone", "status": "active"})
    for number in range(100):
        clickup.happen("field", task=task, field="Confidence", value=number + 1)
    for _ in range(5):
        clickup.sandbox.flush_callbacks()
    assert clickup.ok("POST", f"/task/{task}/comment", {"comment_text": "Hi", "notify_all": False})["id"]
    assert clickup.code("POST", f"/task/{task}/comment", {"comment_text": "Hi"}) == (400, "COMM_001")
    health = clickup.ok("GET", f"/team/{team}/webhook")["webhooks"][0]["health"]
    assert health["status"] in ("failing", "suspended")
    assert clickup.code("PUT", f"/webhook/{made['id']}", {"status": "active"}) == (400, "OAUTH_172")


def test_a_signature_covers_the_body_alone(clickup: ClickUp) -> None:
    from enrichment_assets.sandbox.clickup.webhooks import signature

    body = b'{"event":"taskDeleted"}'
    assert signature("S", body) == hmac.new(b"S", body, hashlib.sha256).hexdigest()


def test_limits_are_told_by_headers_and_a_refused_call_names_when_it_ends(clickup: ClickUp) -> None:
    clickup.sandbox.configure(providers={"clickup": {"limits": "1/m"}})
    asked = [clickup.http.get("/user") for _ in range(2)]
    assert [one.status_code for one in asked] == [200, 429]
    assert all({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= set(one.headers) for one in asked)
    assert "retry-after" not in asked[1].headers


def test_a_client_that_we_did_not_write_works_with_it(clickup: ClickUp) -> None:
    class Cupt(ClickUpClient):
        BASE_URL = str(clickup.http.base_url).rstrip("/")

    client = Cupt(TOKEN)
    assert [one["id"] for one in client.get_workspaces()] == [clickup.places["team"]]
    task = client.create_task(clickup.list, {"name": "Ann Lee", "markdown_content": "**Hello**"})["id"]
    fields = FieldService(client)
    assert fields.set_field(task, "segment", "Budget")["display"] == "budget"
    fields.set_field(task, "confidence", "8")
    listed = {one["name"]: one for one in client.get_task(task)["custom_fields"]}
    assert [display_value(listed[name]) for name in ("Segment", "Confidence")] == ["budget", "8"]
    assert client.update_task(task, {"status": "contacted"})["status"]["status"] == "contacted"
    assert [one["status"] for one in client.get_list_statuses(clickup.list)][:2] == ["new", "contacted"]
    found = client.get_workspace_tasks(clickup.places["team"], {"list_ids[]": [clickup.list]})
    assert [one["id"] for one in found] == [task]
    clickup.happen("delete", task=task)
    with pytest.raises(APIError, match="ITEM_013"):
        client.get_task(task)
