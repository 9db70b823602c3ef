"""Clients, and what each of them overrides in a workflow: addresses, limits, parameters, names of secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.client_slugs import SLUG_PATTERN
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.known_names import vocabulary
from enrichment_assets.domain.literal_keys import looks_like_key
from enrichment_assets.domain.operator_actions import Code, differences
from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.suggestions import did_you_mean, instead
from enrichment_assets.domain.versions import Seen
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import check_workflow
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.services.catalog.key_safety import refuse_unsafe_keys
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import clients as client_store
from enrichment_assets.store.catalog import registry as registry_store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_RANDOM_LOOKING = re.compile(r"(?=.*[0-9])[A-Z0-9]{16,}")


@dataclass(frozen=True, slots=True)
class Client:
    """The agency's customer."""

    slug: str
    name: str
    created_at: datetime
    weight: float = 1.0


def add_client(hq: Hq, slug: str, name: str | None = None, *, actor: Actor) -> Client:
    """Add a client. Raises `ConfigurationError` for a slug that is taken or is none."""
    if not re.fullmatch(SLUG_PATTERN, slug):
        raise ConfigurationError(
            f"{slug!r} is not a client slug: lower-case letters, digits and hyphens, at most 63, like acme-2",
            code="client.slug_invalid",
        )
    with hq.transaction() as connection:
        row = client_store.insert_client(connection, slug, (name or "").strip() or slug)
        if row is not None:
            note_action(connection, actor, Code.CLIENT_ADD, slug, client_id=row["id"], after={"name": row["name"]})
    if row is None:
        raise ConfigurationError(
            f"there is a client {slug!r} already",
            Hint(Action.LIST_CLIENTS),
            Hint(Action.LIST_ARCHIVED),
            code="client.exists",
        )
    return _client(row)


def get_client(hq: Hq, slug: str) -> Client:
    """One client. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return _client(client_row(connection, slug))


def list_clients(hq: Hq) -> list[Client]:
    """All clients by slug."""
    with hq.transaction() as connection:
        return [_client(row) for row in client_store.list_clients(connection)]


def get_client_configs(hq: Hq, client: str) -> dict[str, ClientWorkflowConfig]:
    """Everything that a client overrides, by workflow slug."""
    with hq.transaction() as connection:
        return registry_store.client_configs(connection, client_row(connection, client)["id"])


def get_client_config(hq: Hq, client: str, workflow: str) -> ClientWorkflowConfig:
    """What a client overrides in one workflow; empty when it overrides nothing."""
    with registry(hq) as connection:
        _workflow(connection, workflow)
        configs = registry_store.client_configs(connection, client_row(connection, client)["id"])
    return configs.get(workflow, ClientWorkflowConfig())


def set_client_config(
    hq: Hq,
    settings: Settings,
    client: str,
    workflow: str,
    *,
    actor: Actor,
    set_values: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    unset: Collection[str] = (),
    enabled: bool | None = None,
    replace: bool = False,
    environment: Mapping[str, str] | None = None,
    seen: Seen | None = None,
) -> ClientWorkflowConfig:
    """Change a client's overrides of one workflow and return them.

    Args:
        hq: The databases.
        settings: The installation.
        client: Its slug.
        workflow: The workflow's slug.
        actor: Who changes it.
        set_values: Dotted path -> value, e.g. `{"limits.per_second": 2}`.
        secrets: Purpose -> NAME of an environment variable.
        unset: Dotted paths to give back to the registry; `secrets.<purpose>` for a secret.
        enabled: False leaves the workflow out of the client's batches.
        replace: A provider's key may go to another address than the provider's.
        environment: Variables that exist, default `os.environ`: a lower-case name is taken for a name only if it does.
        seen: What of the overrides whoever changes them has seen; None: they do not say.

    Raises:
        NotFoundError: No such client or workflow.
        ChangedMeanwhileError: They are others than they have seen.
        ConfigurationError: The workflow would not be valid, a secret itself was given instead of its name, or a key
            would go where it does not belong.
    """
    for path, value in (set_values or {}).items():
        _refuse_secret_value(client, workflow, path, value)
    for purpose, name in (secrets or {}).items():
        refuse_key_as_name(purpose, name, os.environ if environment is None else environment)
    with registry(hq) as connection:
        definition, fields = _workflow(connection, workflow)
        client_id = client_row(connection, client)["id"]
        before = registry_store.lock_client_config(connection, client_id, workflow)
        if seen is not None:
            seen.check(before.seen_as, f"what the client {client} has otherwise in {workflow}")
        values, names = dict(before.settings), dict(before.secrets)
        for path in unset:
            known = names if path.startswith("secrets.") else values
            if known.pop(path.removeprefix("secrets."), None) is None:
                paths = [*values, *(f"secrets.{purpose}" for purpose in names)]
                raise ConfigurationError(
                    f"client {client} sets no {path!r} for {workflow}: {instead(path, paths)}",
                    code="client_config.not_set",
                )
        config = ClientWorkflowConfig(
            settings=values | dict(set_values or {}),
            secrets=names | dict(secrets or {}),
            enabled=before.enabled if enabled is None else enabled,
        )
        merged = apply_config(client, definition, config)
        _refuse_unread_parameters(client, definition, merged, set_values or {})
        _refuse_columns(client, definition, merged)
        check_workflow(merged, PROVIDERS, fields)
        refuse_unsafe_keys(merged, sandbox_url=settings.sandbox_url, replace=replace, environment=environment)
        refuse_reserved_name(merged)
        registry_store.save_client_config(connection, client_id, workflow, config)
        old, new = _overrides(before, config)
        if old != new:
            name = f"{client}/{workflow}"
            note_action(connection, actor, Code.CLIENT_CONFIG, name, client_id=client_id, before=old, after=new)
    return config


def _overrides(before: ClientWorkflowConfig, after: ClientWorkflowConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a client's overrides differs: settings by path, names of variables under `secrets`, `enabled`."""
    old, new = differences(before.settings, after.settings)
    old_names, new_names = differences(before.secrets, after.secrets)
    if old_names or new_names:
        old, new = {**old, "secrets": old_names}, {**new, "secrets": new_names}
    if before.enabled != after.enabled:
        old, new = {**old, "enabled": before.enabled}, {**new, "enabled": after.enabled}
    return old, new


def _refuse_columns(client: str, registered: WorkflowDefinition, merged: WorkflowDefinition) -> None:
    """Columns of `final_leads` are the same for all clients: declared for one of them they would not be there."""
    if merged.columns != registered.columns:
        changed = sorted(name for name, _ in merged.columns.items() ^ registered.columns.items())
        raise ConfigurationError(
            f"client {client} cannot have columns of its own in final_leads ({', '.join(changed)}): "
            f"declare them in the workflow {registered.slug}, for all clients",
            code="client_config.columns",
        )


def _refuse_unread_parameters(
    client: str, registered: WorkflowDefinition, merged: WorkflowDefinition, set_values: Mapping[str, Any]
) -> None:
    """A parameter that the workflow neither has nor reads is a misspelt one: its value would go nowhere."""
    read = {read.member for read in reads_of(merged) if read.head == "parameters" and read.member}
    known = {*registered.parameters, *read}
    for path, value in set_values.items():
        first, _, rest = path.partition(".")
        names = [rest.partition(".")[0]] if rest else list(value) if isinstance(value, Mapping) else []
        for name in names if first == "parameters" else []:
            if name not in known:
                raise ConfigurationError(
                    f"client {client}, workflow {merged.slug}: there is no parameter {name!r}: {instead(name, known)}",
                    code="client_config.parameter_unknown",
                )


def refuse_key_as_name(purpose: str, name: str, environment: Mapping[str, str]) -> None:
    """Raise `ConfigurationError` when a secret's name looks like the secret. The message does not repeat it."""
    if name in environment or (_VARIABLE.fullmatch(name) and not _RANDOM_LOOKING.fullmatch(name)):
        return
    raise ConfigurationError(
        f"secret {purpose!r}: give the NAME of an environment variable in capitals, like ACME_APOLLO_KEY, "
        "not the key itself. Set the variable where the platform runs",
        code="secret.value_given",
    )


def _refuse_secret_value(client: str, workflow: str, path: str, value: Any) -> None:
    where = f"client {client}, workflow {workflow}: {path!r}"
    if path.split(".")[0] == "secrets":
        raise ConfigurationError(
            f"{where}: a secret is named, not set",
            Hint(Action.NAME_SECRET, {"workflow": workflow}),
            code="secret.refused",
        )
    if not isinstance(value, str):
        return
    if "://" in value and "@" in urlsplit(value).netloc:
        raise ConfigurationError(
            f"{where}: an address cannot hold a password",
            Hint(Action.NAME_LOGIN, {"workflow": workflow}),
            code="secret.refused",
        )
    if looks_like_key(path, value):
        raise ConfigurationError(
            f"{where} looks like a secret: name its variable instead",
            Hint(Action.NAME_SECRET, {"workflow": workflow}),
            code="secret.refused",
        )


def no_such_workflow(slug: str, known: Iterable[str]) -> NotFoundError:
    """The error for a workflow's slug that is not in the registry."""
    return NotFoundError(
        f"there is no workflow {slug!r}{did_you_mean(slug, known)}",
        Hint(Action.LIST_WORKFLOWS),
        code="workflow.not_found",
    )


def _workflow(connection: Connection, slug: str) -> tuple[WorkflowDefinition, frozenset[str]]:
    """The workflow, and every field that the registry's workflows give."""
    rows = registry_store.list_workflow_rows(connection)
    workflows = registry_store.readable_workflows(rows)
    for row in rows:
        if row["workflow_slug"] == slug:
            return registry_store.workflow_of(row), vocabulary(workflows.values())
    raise no_such_workflow(slug, [row["workflow_slug"] for row in rows])


def _client(row: dict[str, Any]) -> Client:
    return Client(row["slug"], row["name"], row["created_at"], row["weight"])
