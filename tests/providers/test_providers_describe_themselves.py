"""A provider is one file that says all that is particular to it; a file that lies in the room is registered."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import enrichment_assets.providers as room
from enrichment_assets.domain.provider import Ability, Provider
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.providers import PROVIDERS, build_providers, kind_in
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.sandbox.providers import all_providers
from enrichment_assets.wire.secrets import allowed_names, secret_names

NEW_PROVIDER = '''
from dataclasses import replace

from enrichment_assets.domain.http_answers import classify_status
from enrichment_assets.domain.provider import Provider, Secret
from enrichment_assets.domain.request_parts import join_url


class Acme(Provider):
    """An invented provider."""

    name = "acme"
    title = "Acme"
    home = "https://api.acme.example"
    secrets = (Secret("token", "ACME_TOKEN"),)
    key_word = "ACME"
    billing = "nothing"

    def authorise(self, request, secrets, base_url):
        return replace(request, url=join_url(base_url, request.url))

    def classify(self, operation, answer):
        return classify_status(answer)
'''

NEW_SIMULATION = '''
from enrichment_assets.sandbox.exchange import Question, json_reply
from enrichment_assets.sandbox.providers.base import SimulatedProvider


class Acme(SimulatedProvider):
    """The invented provider's contract."""

    name = "acme"

    def question(self, call):
        return Question("x", "x", lambda: json_reply(200, {}))
'''

LOOK = """
import json

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.resources.providers import provider_resources
from enrichment_assets.sandbox.providers import all_providers
from enrichment_assets.wire.addresses import address_of
from enrichment_assets.wire.secrets import missing_secrets, refuse_foreign_variable

request = {"url": "/v1/find", "body": {"email": "{{email}}"}}
workflow = WorkflowDefinition(
    slug="w", title="w", step=1, provider="acme", operation="find", mode="sync", request=request
)
refuse_foreign_variable("token", "CLIENT_ACME_KEY", {})
print(json.dumps({
    "faults": [str(fault) for fault in workflow_faults(workflow, PROVIDERS)],
    "address": address_of(workflow, build_providers()["acme"]),
    "missing": missing_secrets(workflow, {}),
    "simulated": "acme" in all_providers(),
    "shown": provider_resources(None, [workflow])["acme"].address,
}))
"""


def _with_files_added(folder: Path) -> Path:
    """The package as links, with one file more in each of the two rooms."""
    package = Path(str(room.__file__)).parent.parent
    for inner in ("providers", "sandbox/providers"):
        (folder / package.name / inner).mkdir(parents=True)
    for place in (".", "providers", "sandbox", "sandbox/providers"):
        for path in (package / place).iterdir():
            target = folder / package.name / place / path.name
            if not target.exists() and path.name != "__pycache__":
                target.symlink_to(path)
    for inner, text in (("providers", NEW_PROVIDER), ("sandbox/providers", NEW_SIMULATION)):
        added = folder / package.name / inner / "acme.py"
        added.unlink(missing_ok=True)  # a link to a provider of this name would be written through
        added.write_text(text, encoding="utf-8")
    return folder


def test_a_provider_is_added_by_one_file_and_one_of_the_sandbox(tmp_path: Path) -> None:
    folder = _with_files_added(tmp_path)
    looked = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=folder, env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout) == {
        "faults": [],
        "address": "https://api.acme.example/v1/find",
        "missing": {"token": "ACME_TOKEN"},
        "simulated": True,
        "shown": "https://api.acme.example",
    }


def test_each_file_of_the_room_is_one_registered_provider() -> None:
    files = {path.stem for path in Path(str(room.__file__)).parent.glob("*.py")} - {"__init__"}
    assert files == set(PROVIDERS)
    for name, provider in PROVIDERS.items():
        assert (provider.name, provider.base_url) == (name, provider.home)
        assert provider.title and provider.billing, name
        assert bool(provider.home) is not provider.own_address, name
        assert provider.home.startswith("https://") or not provider.home


def test_every_provider_has_its_place_in_the_simulator() -> None:
    called = {name for name, provider in PROVIDERS.items() if not provider.asks_people} - {"smtp"}
    assert called <= set(all_providers())
    assert set(PROVIDERS) - called == {"person", "smtp"}  # mail is handed to a mailbox's own server, and never by HTTP
    simulated = build_providers("http://127.0.0.1:8720/")
    assert {name: one.base_url for name, one in simulated.items()} == {
        name: f"http://127.0.0.1:8720/{name}" for name in PROVIDERS
    }


def test_a_default_variable_is_one_that_workflows_may_name() -> None:
    for workflow in builtin_workflows().values():
        names = secret_names(workflow)
        word = PROVIDERS[workflow.provider].key_word if workflow.provider in PROVIDERS else None
        assert all(word is not None and word in name for name in names.values()), workflow.slug
    patterns = allowed_names({})
    words = {provider.key_word for provider in PROVIDERS.values()} - {None}
    assert {pattern.strip("*_") for pattern in patterns} == words


def test_what_a_built_in_workflow_asks_of_its_provider_it_can_do() -> None:
    for workflow in builtin_workflows().values():
        if workflow.mode is Mode.LOCAL:
            continue
        abilities = PROVIDERS[workflow.provider].abilities
        if workflow.mode is Mode.ASYNC:
            assert (Ability.POLL if workflow.poll else Ability.CALLBACK) in abilities, workflow.slug
        assert workflow.idempotency_header is None or Ability.IDEMPOTENCY in abilities, workflow.slug


def test_a_file_without_a_provider_or_with_two_is_refused() -> None:
    apollo = type(PROVIDERS["apollo"])
    empty, borrowed, double = (ModuleType(name) for name in ("empty", "borrowed", "double"))
    borrowed.Apollo = apollo  # type: ignore[attr-defined]
    for name in ("One", "Two"):
        setattr(double, name, type(name, (apollo,), {"__module__": "double"}))
    for module, count in ((empty, 0), (borrowed, 0), (double, 2)):
        with pytest.raises(TypeError, match=f"{module.__name__} has to define one provider, and defines {count}"):
            kind_in(module)
    del double.Two  # type: ignore[attr-defined]
    assert issubclass(kind_in(double), Provider)
