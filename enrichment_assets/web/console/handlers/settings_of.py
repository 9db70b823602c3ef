"""What a client has otherwise in one workflow: a form made of the workflow, inherited and own values told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import yaml

from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.domain.versions import ChangedMeanwhileError, Seen
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.catalog.configuration import (
    get_client,
    get_client_config,
    get_workflow,
    list_workflows,
    set_client_config,
)
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_SECRET = "secrets."  # noqa: S105 - how paths of names of variables begin
_LIMITS = ("per_second", "per_minute", "per_day", "concurrency")


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the form.

    Attributes:
        path: Dotted, as `limits.per_second`; of a secret `secrets.<purpose>`.
        kind: `number` or `text`.
        inherited: What counts without the client's own, as text.
        own: The client's own, as text; None: it has none.
        is_set: Of a secret: whether who makes the calls has that variable; None: it is no secret.
        saved: Where somebody else was faster, and a form holds something else: what they saved; None: the same.
    """

    path: str
    kind: str
    inherited: str
    own: str | None
    is_set: bool | None = None
    saved: str | None = None


def show(call: Call) -> Shown:
    """The workflows, and the settings of one."""
    call.checked("workflow", "said")
    client = get_client(call.hq, call.path["client"])
    slug = call.query.get("workflow") or ""
    context: dict[str, Any] = {"client": client, "workflows": list_workflows(call.hq), "chosen": None}
    if slug:
        workflow = get_workflow(call.hq, slug).definition
        config = get_client_config(call.hq, client.slug, slug)
        context |= _form(workflow, config, settings_of(workflow, config, next_runner(call.settings).variables))
    return View("settings.html", f"Settings of {client.slug}", context)


def _form(workflow: WorkflowDefinition, config: ClientWorkflowConfig, fields: list[Setting]) -> dict[str, Any]:
    return {
        "chosen": workflow,
        "is_on": config.enabled,
        "seen": config.seen_as,
        "fields": fields,
        "meanwhile": None,
    }


def change(call: Call) -> Shown:
    """Set what was filled in, give back what was emptied."""
    client, slug = call.path["client"], call.text("workflow", needed=True) or ""
    said = {name.removeprefix("set:"): str(text).strip() for name, text in call.body.items() if name.startswith("set:")}
    is_on = call.text("enabled") != "off"
    seen = call.text("seen") or ""
    call.checked("workflow", "enabled", "seen", *(f"set:{path}" for path in said))
    workflow = get_workflow(call.hq, slug).definition
    config = get_client_config(call.hq, client, slug)
    if config.seen_as != seen:
        return _meanwhile(call, workflow, config, said, is_on=is_on)
    known = {one.path: one for one in settings_of(workflow, config, {})}
    if strange := [path for path in said if path not in known]:
        raise invalid(**{f"set:{strange[0][:80]}": "is no setting of this workflow"})
    filled = {path: text for path, text in said.items() if text and text != known[path].own}
    try:
        set_client_config(
            call.hq,
            call.settings,
            client,
            slug,
            actor=call.known.actor,
            set_values={path: _value(text) for path, text in filled.items() if not path.startswith(_SECRET)},
            secrets={path.removeprefix(_SECRET): text for path, text in filled.items() if path.startswith(_SECRET)},
            unset=[path for path, text in said.items() if not text and known[path].own is not None],
            enabled=is_on,
            environment=next_runner(call.settings).variables,
            seen=Seen.version(seen),
        )
    except ChangedMeanwhileError:  # in the moment between
        return _meanwhile(call, workflow, get_client_config(call.hq, client, slug), said, is_on=is_on)
    return Redirect(f"/clients/{client}/settings?workflow={slug}", "settings-saved")


def _meanwhile(
    call: Call, workflow: WorkflowDefinition, config: ClientWorkflowConfig, said: Mapping[str, str], *, is_on: bool
) -> View:
    """The form as it was filled in, beside what somebody else saved: saved now it is saved knowingly."""
    client = get_client(call.hq, call.path["client"])
    fields = []
    for one in settings_of(workflow, config, next_runner(call.settings).variables):
        typed = said.get(one.path, one.own or "")
        fields.append(one if typed == (one.own or "") else replace(one, own=typed or None, saved=one.own or ""))
    context = {
        "client": client,
        "workflows": list_workflows(call.hq),
        **_form(workflow, config, fields),
        "is_on": is_on,
        "meanwhile": f"what {client.slug} has otherwise in {workflow.slug} was changed meanwhile: nothing was saved",
    }
    return View("settings.html", f"Settings of {client.slug}", context, HTTPStatus.PRECONDITION_FAILED)


def settings_of(
    workflow: WorkflowDefinition, config: ClientWorkflowConfig, variables: Mapping[str, str]
) -> list[Setting]:
    """The fields of a workflow's form: parameters, address, limits, secrets, and whatever else a client has set."""
    provider = PROVIDERS.get(workflow.provider)
    inherited: dict[str, Any] = {f"parameters.{name}": value for name, value in workflow.parameters.items()}
    inherited["base_url"] = workflow.base_url
    inherited |= {f"limits.{name}": getattr(workflow.limits, name) for name in _LIMITS}
    inherited |= dict.fromkeys(path for path in config.settings if path not in inherited)
    names = {**({} if provider is None else provider.default_variables()), **workflow.secrets}
    found = [
        Setting(
            path,
            "number" if isinstance(value, int | float) and not isinstance(value, bool) else "text",
            _text(value),
            _text(config.settings[path]) if path in config.settings else None,
        )
        for path, value in inherited.items()
    ]
    for purpose in dict.fromkeys([*names, *config.secrets]):
        name = config.secrets.get(purpose, names.get(purpose, ""))
        own = config.secrets.get(purpose)
        found.append(Setting(f"{_SECRET}{purpose}", "text", names.get(purpose, ""), own, name in variables))
    return found


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return yaml.safe_dump(value, default_flow_style=True, width=1_000).removesuffix("\n...\n").strip()


def _value(text: str) -> Any:
    """What somebody typed: a number, yes or no, a list in brackets, or text."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return found if isinstance(found, bool | int | float | list | dict) else text
