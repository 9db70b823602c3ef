"""What a workflow would do with keys, checked before it is saved and shown before it is launched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.literal_keys import literal_key
from enrichment_assets.domain.workflow import CALLBACK_SECRET, Mode, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.wire.addresses import address_of, is_simulated
from enrichment_assets.wire.secrets import refuse_foreign_variable, secret_names

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""A gateway of one's own on this machine is no stranger."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One variable that a workflow sends, and to which host. `foreign`: the key is another service's than the host."""

    purpose: str
    variable: str
    host: str
    foreign: bool


def key_uses(workflow: WorkflowDefinition, sandbox_url: str | None = None) -> tuple[KeyUse, ...]:
    """The variables whose values leave with this workflow's requests to the address that is configured.

    Raises:
        ConfigurationError: The workflow has no address.
    """
    if workflow.mode is Mode.LOCAL:
        return ()
    provider = build_providers(sandbox_url)[workflow.provider]
    sent = sent_secrets(workflow)
    if not sent:
        return ()
    host = urlsplit(address_of(workflow, provider)).netloc
    simulated = is_simulated(workflow, provider, sandbox_url)
    near = simulated or (urlsplit(f"//{host}").hostname or "") in _LOOPBACK
    return tuple(KeyUse(purpose, name, host, not near and not _at_home(name, host)) for purpose, name in sent.items())


def sent_secrets(workflow: WorkflowDefinition) -> dict[str, str]:
    """Purpose -> variable of what leaves with requests: what only verifies callbacks stays here."""
    if workflow.mode is Mode.LOCAL:
        return {}
    return {purpose: name for purpose, name in secret_names(workflow).items() if purpose != CALLBACK_SECRET}


def _at_home(variable: str, host: str) -> bool:
    """Whether a provider's key goes to that provider; a key of no provider we know is at home anywhere.

    A name with the words of two providers (`ACME_APOLLO_KEY` of a client that is called like one) is at home at both.
    """
    words = set(variable.upper().split("_"))
    homes = [urlsplit(one.home).netloc for one in PROVIDERS.values() if one.home and one.key_word in words]
    return not homes or host in homes


def refuse_unsafe_keys(
    workflow: WorkflowDefinition,
    *,
    sandbox_url: str | None,
    replace: bool,
    environment: Mapping[str, str] | None = None,
) -> None:
    """See that a workflow holds no key, names only variables that it may, and sends them where they belong.

    Args:
        workflow: As it is about to be saved, a client's overrides merged in.
        sandbox_url: The simulator may be sent any key: it gets a made-up one.
        replace: The operator knows that a provider's key goes to another host.
        environment: Where the setting of allowed names is; default `os.environ`.

    Raises:
        ConfigurationError: Names workflow, field or variable, and the host.
    """
    if place := literal_key(workflow):
        raise ConfigurationError(
            f"workflow {workflow.slug}: {place} looks like a key. Put it into an environment variable, name that under "
            "`secrets`, and write {{secrets.purpose}} in a header",
            code="workflow.key_in_text",
        )
    for purpose, name in workflow.secrets.items():
        refuse_foreign_variable(purpose, name, os.environ if environment is None else environment)
    if replace:
        return
    for use in _known_uses(workflow, sandbox_url):
        if use.foreign:
            raise ConfigurationError(
                f"workflow {workflow.slug} would send {use.variable} to {use.host}, which is not that provider's "
                "address",
                Hint(Action.ALLOW_FOREIGN_HOST, {"workflow": workflow.slug}),
                code="secret.foreign_host",
            )


def _known_uses(workflow: WorkflowDefinition, sandbox_url: str | None) -> tuple[KeyUse, ...]:
    try:
        return key_uses(workflow, sandbox_url)
    except ConfigurationError:  # it has no address yet: a client's configuration gives one, and is checked then
        return ()
