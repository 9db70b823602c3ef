"""The registry: what there is, one workflow with what it finds and costs, and an editor that checks as adding does."""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path

import yaml

from enrichment_assets.domain.access import Permission
from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.checking import CheckedFile, check_files
from enrichment_assets.services.catalog.configuration import (
    add_workflow,
    get_workflow,
    list_clients,
    list_workflows,
    set_workflow_enabled,
)
from enrichment_assets.services.catalog.ran_versions import versions_run
from enrichment_assets.services.insight.dashboards.of_workflow import workflow_over_time
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.shapes.history import OperatorAction
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.rendering import FOLDER
from enrichment_assets.web.console.views import Redirect, Shown, View

_LONGEST = 200_000
_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Began:
    """What somebody began to edit: slug of a workflow, and its version then; empty: a new one."""

    slug: str = ""
    seen: str = ""


# opens files of ours: texts to begin with, and what was typed, in a folder of this request
@cache
def starters() -> Mapping[str, str]:
    """What somebody begins a workflow with, by kind: texts that are valid as they stand."""
    files = sorted((FOLDER / "starters").glob("*.yaml"))
    return {path.stem: path.read_text(encoding="utf-8") for path in files}


def list_(call: Call) -> Shown:
    """Every workflow, in the order of its usual place."""
    call.checked("said")
    return View("workflows.html", "Workflows", {"workflows": list_workflows(call.hq), "starters": list(starters())})


def show(call: Call) -> Shown:
    """One workflow: what it says, and what it found and cost in each batch."""
    call.checked("said")
    found = get_workflow(call.hq, call.path["workflow"])
    slug, text = found.definition.slug, as_yaml(found.definition)
    sees_log = call.known.may(Permission.AUDIT_READ, None)
    history = list_history(call.hq, code="workflow", name=slug, limit=_CHANGES) if sees_log else None
    may_try = [one.slug for one in list_clients(call.hq) if call.known.may(Permission.BATCHES_LAUNCH, one.slug)]
    context = {
        "workflow": found,
        "text": text,
        "panels": workflow_over_time(call.hq, call.settings, slug, client=call.client),
        "versions": [
            (one, differences_of(as_yaml(one.definition), text))
            for one in versions_run(call.hq, slug, client=call.client)
        ],
        "history": None if history is None else [OperatorAction.of(one) for one in history],
        "clients": may_try,
    }
    return View("workflow.html", found.definition.title, context)


def differences_of(was: str, now: str) -> list[str]:
    """The lines in which two texts differ, with one of context; none: they do not."""
    return list(difflib.unified_diff(was.splitlines(), now.splitlines(), "then", "now", lineterm="", n=1))[2:]


def editor(call: Call) -> Shown:
    """A workflow's text to change, or one to begin with."""
    call.checked("workflow", "starter", "said")
    slug, starter = call.query.get("workflow"), call.query.get("starter")
    if not slug:
        return _edited(starters().get(starter or "", ""), Began())
    found = get_workflow(call.hq, slug)
    return _edited(as_yaml(found.definition), Began(slug, found.seen_as))


def save(call: Call) -> Shown:
    """Check a workflow, and save it where nothing is wrong and somebody asks for that."""
    raw, action = call.body.get("text"), call.text("action") or "check"
    began = Began(call.text("began") or "", call.text("seen") or "")
    text = raw.replace("\r\n", "\n") if isinstance(raw, str) and len(raw) <= _LONGEST else ""
    with tempfile.TemporaryDirectory(prefix="workflow-") as folder:
        path = Path(folder) / "workflow.yaml"
        path.write_text(text, encoding="utf-8")
        (checked,) = check_files(call.hq, call.settings, [path])
        if action == "save" and not checked.problems:
            seen = Seen.version(began.seen if checked.slug == began.slug else "")
            try:
                saved = add_workflow(call.hq, call.settings, path, actor=call.known.actor, seen=seen)
            except ChangedMeanwhileError as error:
                return _meanwhile(call, text, checked, error)
            return Redirect(f"/workflows/{saved.slug}", "workflow-saved")
    return _edited(text, began, checked)


def _meanwhile(call: Call, text: str, checked: CheckedFile, error: ChangedMeanwhileError) -> Shown:
    """The text as it was typed, and how it differs from what somebody else saved: saved now it is saved knowingly."""
    slug, saved = checked.slug or "", ""
    if error.version is not None:
        saved = as_yaml(get_workflow(call.hq, slug).definition)
    differs = differences_of(saved, text)
    return _edited(text, Began(slug, error.version or ""), checked, (error.what, differs))


def switch(call: Call) -> Shown:
    """Switch a workflow on or off for every client."""
    to = call.text("to", needed=True)
    call.checked("to")
    slug = call.path["workflow"]
    set_workflow_enabled(call.hq, slug, to == "on", actor=call.known.actor)
    return Redirect(f"/workflows/{slug}", "workflow-on" if to == "on" else "workflow-off")


def as_yaml(definition: WorkflowDefinition) -> str:
    """A definition as its file says it, without what is as usual."""
    written = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=100)


def _edited(
    text: str, began: Began, checked: CheckedFile | None = None, meanwhile: tuple[str, list[str]] | None = None
) -> Shown:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if checked is not None and checked.problems else HTTPStatus.OK
    if meanwhile is not None:
        status = HTTPStatus.PRECONDITION_FAILED
    context = {
        "text": text,
        "began": began,
        "checked": checked,
        "meanwhile": meanwhile,
        "starters": list(starters()),
    }
    return View("workflow_editor.html", "Workflow", context, status)
