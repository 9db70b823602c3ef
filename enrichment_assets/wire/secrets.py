"""Names of environment variables to their values, at the last moment before a call.

A name may stand anywhere; a value stays in the environment and in the request that leaves. No message here has one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError
from enrichment_assets.domain.provider import HeaderParts, RenderedRequest
from enrichment_assets.domain.variables import SECRET_NAMES, is_own_variable, may_be_secret
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import PROVIDERS

SANDBOX_KEY = "sandbox"
"""The key sent to the sandbox where the real one is not set; never sent to anybody else."""

KEY_WORDS = tuple(provider.key_word for provider in PROVIDERS.values() if provider.key_word is not None)
"""A variable with one of these words in its name is a key of that provider: `APOLLO_API_KEY`, `ACME_APOLLO_KEY`."""


IN_A_FILE = "_FILE"
"""`NAME_FILE` names a file that has what `NAME` would have: a container's secret, a service account's JSON."""

LONGEST_SECRET = 64 * 1024
"""Bytes of such a file."""


# opens files of ours: a secret that the operator named
def value_of(name: str, environment: Mapping[str, str]) -> str:
    """What a variable has, or the file that `NAME_FILE` names; empty where neither is set.

    Raises:
        ConfigurationError: The file cannot be read, or is longer than any secret; names the variable only.
    """
    path = environment.get(f"{name}{IN_A_FILE}")
    if environment.get(name) or not path:
        return environment.get(name, "")
    try:
        content = Path(path).read_bytes()
        if len(content) <= LONGEST_SECRET:
            return content.decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        pass
    raise ConfigurationError(
        f"{name}{IN_A_FILE} names a file that cannot be read, is no text, or is longer than {LONGEST_SECRET} bytes",
        code="secret.file_unreadable",
    )


def allowed_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Patterns of the variables that a workflow may name: the providers' keys, and what the operator lists."""
    words = [pattern for word in KEY_WORDS for pattern in (f"{word}_*", f"*_{word}_*", f"*_{word}")]
    listed = [name.strip() for name in environment.get(SECRET_NAMES, "").split(",")]
    return (*words, *filter(None, listed))


def refuse_foreign_variable(purpose: str, name: str, environment: Mapping[str, str] | None = None) -> None:
    """Raise `ConfigurationError` for a variable that is no provider's key and that nobody allowed.

    A workflow file is often somebody else's; without this it could send any variable of the machine anywhere.
    """
    env = os.environ if environment is None else environment
    if may_be_secret(name, allowed_names(env)):
        return
    if is_own_variable(name):
        raise ConfigurationError(
            f"secret {purpose!r}: {name} is a setting of the platform or the system, and no key",
            code="secret.variable_reserved",
        )
    raise ConfigurationError(
        f"secret {purpose!r}: workflows may not use the variable {name}. If it is meant as a key for them, put it into "
        f"the file .env, or list its name in {SECRET_NAMES}",
        code="secret.variable_not_allowed",
    )


def secret_names(workflow: WorkflowDefinition) -> dict[str, str]:
    """Purpose -> variable name for a workflow: the provider's defaults, then what the workflow names."""
    provider = PROVIDERS.get(workflow.provider)
    return {**(provider.default_variables() if provider else {}), **workflow.secrets}


def optional_purposes(workflow: WorkflowDefinition) -> frozenset[str]:
    """Purposes that a call can do without. One that the workflow names itself is never optional."""
    provider = PROVIDERS.get(workflow.provider)
    known = provider.secrets if provider else ()
    return frozenset(secret.purpose for secret in known if secret.optional) - workflow.secrets.keys()


def missing_secrets(workflow: WorkflowDefinition, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Purpose -> variable name of everything the workflow needs and the environment does not have."""
    env = os.environ if environment is None else environment
    optional = optional_purposes(workflow)
    return {
        purpose: name
        for purpose, name in secret_names(workflow).items()
        if purpose not in optional and not (env.get(name) or env.get(f"{name}{IN_A_FILE}"))
    }


def workflow_secrets(
    workflow: WorkflowDefinition, *, simulated: bool = False, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Purpose -> value for one workflow, ready for `Provider.authorise`.

    Args:
        workflow: The blueprint step's definition, client overrides merged in.
        simulated: Every request of this workflow goes to the sandbox (`wire.addresses.is_simulated`): a variable
            that is not set is then the literal key `sandbox`.
        environment: Where to look; default `os.environ`.

    Raises:
        ConfigurationError: A variable is not set, or may not be used; names workflow, purpose and variable.
    """
    env = os.environ if environment is None else environment
    for purpose, name in secret_names(workflow).items():
        refuse_foreign_variable(purpose, name, env)
    missing = missing_secrets(workflow, env)
    if missing and not simulated:
        purpose, name = next(iter(missing.items()))
        raise MissingVariableError(
            f"workflow {workflow.slug} needs its secret {purpose!r}: the environment variable {name} is not set", name
        )
    found = {purpose: value_of(name, env) for purpose, name in secret_names(workflow).items()}
    return {purpose: value for purpose, value in {**found, **dict.fromkeys(missing, SANDBOX_KEY)}.items() if value}


_LINE = re.compile(r"[\x20-\x7e\t]+")


def fill_secrets(request: RenderedRequest, secrets: Mapping[str, str]) -> RenderedRequest:
    """The request with every secret in the place that its template has for it, and nowhere else.

    Raises:
        ConfigurationError: A purpose has no secret, or its value cannot stand in a header; names the purpose only.
    """
    if not request.secret_headers:
        return request
    filled = {name: _filled(parts, secrets) for name, parts in request.secret_headers.items()}
    return replace(request, headers={**request.headers, **filled}, secret_headers={})


def _filled(parts: HeaderParts, secrets: Mapping[str, str]) -> str:
    return "".join([part if isinstance(part, str) else _value(part.purpose, secrets) for part in parts])


def _value(purpose: str, secrets: Mapping[str, str]) -> str:
    value = secrets.get(purpose)
    if not value:
        raise ConfigurationError(
            f"a header uses {{{{secrets.{purpose}}}}}, but the workflow names no such secret", code="secret.not_named"
        )
    if not _LINE.fullmatch(value):
        raise ConfigurationError(
            f"the secret {purpose!r} cannot stand in a header: it has to be one line of ASCII",
            code="secret.not_a_header",
        )
    return value
