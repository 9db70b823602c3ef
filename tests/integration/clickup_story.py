"""Golf leads to ClickUp and back, with the daemon running: nobody types a command between a launch and a task."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.request import Request, urlopen

from enrichment_assets.installation.databases import Databases
from enrichment_assets.sandbox.clickup.workspace import Workspace
from enrichment_assets.store.database import connect

TEAM, TOKEN, SEED = "9011000001", "sandbox", 5
SECRET = {"FAIRWAY_CLICKUP_SECRET": Workspace(SEED, TOKEN).uuid("webhook secret", 1).replace("-", "").upper()}
"""What the simulated ClickUp makes for its first webhook: the daemon has it before it is asked for."""

LEADS = 6
COLUMNS = {"segment": "text", "segment_confidence": "integer"}
SEGMENTS = ("high-end", "budget", "both")


class Running(Protocol):
    """What of a running stack the story needs."""

    @property
    def sandbox(self) -> str: ...

    @property
    def databases(self) -> Databases: ...

    def configure_sandbox(self, **fields: Any) -> None: ...

    def enrich(self, *arguments: str) -> str: ...


def two_way_story(stack: Running, folder: Path, until: Callable[..., Any]) -> None:
    """Leads become tasks, a rep's correction an edit, and a second batch updates the tasks and keeps the correction."""
    stack.configure_sandbox(seed=SEED, callback_drop=0.1, callback_duplicate=0.1)
    _set_up(stack, folder)
    _launch(stack, folder, "first", "+1 406 555 010{}", "5")
    tasks = until("every lead is a task", lambda: _tasks(stack) if len(_tasks(stack)) == LEADS else None)
    assert {one["folder"]["name"] for one in tasks} == {"High-end", "Budget", "Both"}
    ann = next(one for one in tasks if one["name"].startswith("Golfer0"))

    _happen(stack, "field", task=ann["id"], field="Phone", value="+1 406 555 0199")
    _happen(stack, "status", task=ann["id"], status="contacted")
    by = "clickup:Rita Marlow"
    until("the correction is an edit", lambda: _rows(stack, "select 1 from item_edits where value = '+14065550199'"))
    assert _rows(stack, "select edited_by, field from item_edits") == [{"edited_by": by, "field": "phone"}]
    moved = "select data ->> 'value' as value from delivery_events where kind = 'status_changed'"
    until("the move is an event", lambda: _rows(stack, moved) == [{"value": "contacted"}])

    _launch(stack, folder, "second", "+1 406 555 017{}", "9")
    until("every task says what the second batch says", lambda: _confidences(stack) == {"9"})
    tasks = _tasks(stack)
    assert len(tasks) == LEADS, "none is made twice"
    phones = {one["name"][:7]: _value(one, "Phone") for one in tasks}
    assert phones.pop("Golfer0") == "+1 406 555 0199", "what the rep said stays"
    assert set(phones.values()) == {f"+1406555017{number}" for number in range(1, LEADS)}
    assert next(one for one in tasks if one["id"] == ann["id"])["status"]["status"] == "contacted"
    assert len(_rows(stack, "select 1 from deliveries where state = 'delivered'")) == LEADS


def _set_up(stack: Running, folder: Path) -> None:
    said = {name: f"{{{{ original.{name} }}}}" for name in COLUMNS}
    columns = {
        name: {"from": f"json.{name}", "column": {"type": kind, "description": name}} for name, kind in COLUMNS.items()
    }
    workflow = {
        "slug": "golf-said", "title": "What the list says", "step": 5, "provider": "http", "operation": "echo",
        "mode": "sync", "request": {"url": "/echo", "body": {**said, "n": "{{ item.id }}"}}, "provides": columns,
        "response": {"found_if": "json.segment"},
    }  # fmt: skip
    pipeline = {"slug": "fairway", "title": "Fairway", "steps": ["golf-said"], "deliver": ["clickup-new-leads"]}
    for kind, content in (("workflow", workflow), ("pipeline", pipeline)):
        path = folder / f"{kind}.yaml"
        path.write_text(json.dumps(content), encoding="utf-8")
    stack.enrich("client", "add", "fairway")
    stack.enrich("workflow", "add", str(folder / "workflow.yaml"))
    stack.enrich("client", "config", "fairway", "clickup-new-leads", "--set", f"parameters.team_id='{TEAM}'")
    stack.enrich("pipeline", "add", str(folder / "pipeline.yaml"), "--client", "fairway")
    stack.enrich(
        "events", "source", "connect", "fairway-clickup", "--client", "fairway", "--kind", "clickup",
        "--set", f"team_id='{TEAM}'", "--secret", "FAIRWAY_CLICKUP_SECRET", "--every", "30",
    )  # fmt: skip


def _launch(stack: Running, folder: Path, batch: str, phone: str, confidence: str) -> None:
    path = folder / f"{batch}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Full Name", "Company Name", "Email", "Phone", "segment", "segment_confidence"])
        for number in range(LEADS):
            cells = [f"Golfer{number} Green", f"Club {number}", f"golfer{number}@club{number}.example"]
            rows.writerow([*cells, phone.format(number), SEGMENTS[number % 3], confidence])
    upload = json.loads(stack.enrich("upload", str(path), "--client", "fairway", "--json"))["upload_id"]
    stack.enrich("launch", str(upload), "--pipeline", "fairway", "--client", "fairway", "--batch", f"fairway-{batch}")


def _happen(stack: Running, action: str, **told: Any) -> dict[str, Any]:
    body = json.dumps({"action": action, "workspace": TOKEN, **told}).encode()
    request = Request(f"{stack.sandbox}/_sandbox/happen/clickup", body, {"content-type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _tasks(stack: Running) -> list[dict[str, Any]]:
    return list(_happen(stack, "tasks")["tasks"])


def _value(task: Mapping[str, Any], name: str) -> Any:
    return next(one for one in task["custom_fields"] if one["name"] == name).get("value")


def _confidences(stack: Running) -> set[Any]:
    return {_value(one, "Confidence") for one in _tasks(stack)}


def _rows(stack: Running, query: str) -> list[dict[str, Any]]:
    with connect(stack.databases.hq) as hq:
        return hq.execute(query).fetchall()
