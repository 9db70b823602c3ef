"""A client's profile: typed, bounded, and every mistake with its place and what was meant."""

import json
from typing import Any

import pytest

from enrichment_assets.domain.client_profiles import NAMES, PROFILE, ClientProfile, not_set, parsed_profile, with_values
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.planning import profile_names
from enrichment_assets.domain.prompts.rendering import PromptRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.workflow_checks import workflow_faults
from enrichment_assets.domain.yaml_text import line_numbers, load_yaml
from enrichment_assets.providers import PROVIDERS, build_providers
from enrichment_assets.registry.loader import builtin_workflows
from tests.harness.models import prompt_step

WHOLE: dict[str, Any] = {
    "ideal_customer": "Manufacturers of 50 to 500 people",
    "personas": ["Head of operations"],
    "offer": "Sensors",
    "proof_points": ["31 % fewer stops"],
    "tone": "Plain",
    "sender": {"name": "Ada Byron", "title": "Founder", "company": "Acme", "email": "ada@acme.io"},
    "never_say": ["guarantee"],
}


def test_a_whole_profile_comes_back_as_it_was_written() -> None:
    profile = parsed_profile(WHOLE, "acme")
    assert profile.values() == WHOLE
    assert list(NAMES) == list(WHOLE)
    assert parsed_profile(dict(reversed(WHOLE.items())), "acme").content_hash == profile.content_hash
    assert parsed_profile(WHOLE | {"tone": "Loud"}, "acme").content_hash != profile.content_hash


def test_what_is_blank_is_not_set() -> None:
    blank = parsed_profile({"offer": "  ", "tone": None, "personas": None, "sender": None}, "acme")
    assert blank == ClientProfile()
    assert parsed_profile({"offer": " Sensors \n"}, "acme").offer == "Sensors"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ofer": "x"}, "ofer: there is no setting 'ofer' here; did you mean 'offer'?"),
        ({"proofpoints": ["x"]}, "did you mean 'proof_points'?"),
        ({"never say": ["x"]}, "did you mean 'never_say'?"),
        ({"sender": {"nam": "Ada"}}, "sender.nam: there is no setting 'nam' here; did you mean 'name'?"),
        ({"sender": {"email": "ada at acme"}}, "sender.email: is not one e-mail address, as ada@acme.io"),
        ({"sender": {"email": "a@acme.io, b@acme.io"}}, "is not one e-mail address"),
        ({"sender": "Ada"}, "sender: "),
        ({"personas": "CTO, VP"}, "personas: is a list: write [one, another], also for a single one"),
        ({"never_say": ["fine", ""]}, "never_say.1: "),
        ({"personas": ["x"] * 21}, "personas: List should have at most 20 items"),
        ({"offer": "x" * 5_001}, "offer: String should have at most 5000 characters"),
        ({"never_say": ["x" * 301]}, "never_say.0: String should have at most 300 characters"),
        ({"offer": 42}, "offer: Input should be a valid string"),
        ({"offer": "a\x00b"}, "offer: has a control character (U+0000)"),
        ({"tone": "a\ud800b"}, "tone: Input should be a valid string"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed_profile(values, "client acme")
    assert str(refused.value).startswith("client acme, ")
    assert said in str(refused.value)


def test_a_file_is_refused_by_line() -> None:
    text = "offer: Sensors\nsender:\n  name: Ada\n  mail: ada@acme.io\n"
    with pytest.raises(ConfigurationError, match=r"profile.yaml, sender.mail \(line 4\): there is no setting 'mail'"):
        parsed_profile(load_yaml(text, "profile.yaml"), "profile.yaml", line_numbers(text))
    with pytest.raises(ConfigurationError, match="a profile is a mapping of names to values: ideal_customer"):
        parsed_profile(["offer"], "profile.yaml")


def test_one_value_is_changed_and_the_others_stay() -> None:
    profile = parsed_profile(WHOLE, "acme")
    changed = with_values(profile, {"sender.title": "CEO", "never_say": ["cheap"], "tone": None}, "acme")
    assert changed.values() == WHOLE | {
        "sender": WHOLE["sender"] | {"title": "CEO"},
        "never_say": ["cheap"],
        "tone": None,
    }
    assert with_values(ClientProfile(), {"sender.name": "Ada"}, "acme").sender is not None
    alone = with_values(ClientProfile(), {"sender.name": "Ada"}, "acme")
    assert with_values(alone, {"sender.name": None}, "acme").sender is None
    with pytest.raises(ConfigurationError, match="did you mean 'offer'"):
        with_values(profile, {"offr": "x"}, "acme")


def test_a_profile_without_a_list_says_that_there_is_nothing_in_it_and_without_a_text_says_nothing() -> None:
    profile = parsed_profile({"offer": "Sensors"}, "acme")
    assert not_set(profile, ["offer", "never_say", "tone", "sender", "tone"]) == ["tone", "sender"]
    assert not_set(None, ["offer", "never_say"]) == ["offer", "never_say"]


def test_what_a_workflow_reads_of_the_profile_is_known() -> None:
    def reading(*texts: str) -> list[str]:
        body = {str(n): text for n, text in enumerate(texts)}
        request = {"url": "/x", "body": body}
        values = {"slug": "w", "title": "w", "step": 1, "provider": "http", "operation": "x", "mode": "sync"}
        return profile_names(WorkflowDefinition.model_validate({**values, "request": request}))

    assert reading("{{first_name}}") == []
    assert reading("{{client_profile.tone}} {{client_profile.sender.name}}", "{{client_profile.tone}}") == [
        "tone",
        "sender",
    ]
    assert reading("{{client_profile}}") == list(NAMES)


def test_a_prompt_reads_the_profile_in_its_instructions_and_inputs() -> None:
    workflow = prompt_step(
        "write",
        prompt={
            "instructions": "Write for {{ client_profile.sender.name }}. Never say: {{ client_profile.never_say }}.",
            "inputs": {"page": "{{ original.page }}", "offer": "{{ client_profile.offer }}"},
            "grounded": {"email": ["page"]},
        },
    )
    assert workflow_faults(workflow, PROVIDERS) == []
    assert profile_names(workflow) == ["sender", "never_say", "offer"]
    context = {"original": {"page": "We build pumps."}, PROFILE: parsed_profile(WHOLE, "acme").values()}
    asked = PromptRenderer(workflow, build_providers(None)["openai"]).render(context)
    body = json.loads(asked.content or b"")
    assert body["messages"][0]["content"] == 'Write for Ada Byron. Never say: ["guarantee"].'
    assert asked.inputs == {"page": "We build pumps.", "offer": "Sensors"}


def test_a_shipped_prompt_needs_the_offer_and_the_ideal_customer_and_can_do_without_the_rest() -> None:
    needed = {slug: profile_names(one, needed=True) for slug, one in builtin_workflows().items() if profile_names(one)}
    assert needed == {
        "qualify-lead": ["ideal_customer", "offer"],
        "personalise-email": ["offer"],
        "personalise-linkedin": ["offer"],
        "personalise-prospect": ["offer"],
        "propose-queries": [],
        "write-icebreaker": [],
    }
