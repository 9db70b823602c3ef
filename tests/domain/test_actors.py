"""Who changes something has a name that can be written, read and found again; what is kept of a change is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enrichment_assets.domain.actors import LONGEST_NAME, Actor, ActorKind, name_from
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import HIDDEN, LARGEST, Code, differences, kept

WRITTEN = """
cli:ada
sensor:inbox
schedule:nightly sync
user:ada@acme.com
api-key:n8n: prod
cli:ACME\\ada
cli:张伟
"""


@pytest.mark.parametrize("text", WRITTEN.split("\n")[1:-1])
def test_an_actor_is_read_as_it_is_written(text: str) -> None:
    assert str(Actor.parse(text)) == text


NO_KIND = ["", "ada", "cli", ":ada", "CLI:ada", "robot:ada"]
TOO_LONG = f"cli:{'x' * (LONGEST_NAME + 1)}"
NO_NAME = ["cli:", "cli: ada", "cli:ada ", "cli:a\nb", "cli:\x1b[31m", "cli:a\u202eb", TOO_LONG]


@pytest.mark.parametrize("text", [*NO_KIND, *NO_NAME])
def test_what_is_no_actor_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Actor.parse(text)
    assert refused.value.code == "actor.invalid"
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("login", "name"),
    [
        ("ada", "ada"),
        (" ada\n", "ada?"),
        ("a\x00b\x1b", "a?b?"),
        ("", "?"),
        ("   ", "?"),
        ("x" * 500, "x" * LONGEST_NAME),
        ("x" * (LONGEST_NAME - 1) + " y", "x" * (LONGEST_NAME - 1)),
    ],
)
def test_any_login_becomes_a_name(login: str, name: str) -> None:
    assert Actor(ActorKind.CLI, name_from(login)).name == name


def test_a_code_is_a_noun_and_a_verb() -> None:
    assert all(code.value.count(".") == 1 and code.value.replace(".", "").replace("_", "").isalpha() for code in Code)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"amount": "1.50"}, {"amount": "1.50"}),
        ({"secrets": {"api_key": "ACME_KEY"}}, {"secrets": {"api_key": "ACME_KEY"}}),
        ({"secrets": {"api_key": "sk-live-abcdef0123456789abcd"}}, {"secrets": {"api_key": HIDDEN}}),
        ({"request.headers.authorization": "Bearer abcdef12345"}, {"request.headers.authorization": HIDDEN}),
        ({"request": {"headers": {"x-api-key": "abcdef"}}}, {"request": {"headers": {"x-api-key": HIDDEN}}}),
        ({"base_url": "https://ada:pw@acme.com"}, {"base_url": HIDDEN}),
        ({"urls": ["https://a.com", "https://a.com/?api_key=abcdef"]}, {"urls": ["https://a.com", HIDDEN]}),
        ({"title": "a\x00b"}, {"title": "ab"}),
        ({"ids": list(range(60))}, {"ids": [*range(50), "... and 10 more"]}),
        ({"text": "x" * 501}, {"text": "x" * 499 + "…"}),
        ({1: None, "b": True}, {"1": None, "b": True}),
    ],
)
def test_what_is_kept_is_bounded_and_holds_no_secret(value: dict[Any, Any], expected: dict[str, Any]) -> None:
    assert kept(value) == expected


def test_what_is_too_large_is_kept_as_its_keys_size_and_hash() -> None:
    large = {f"key{n}": "x" * 400 for n in range(40)}
    found = kept(large)
    assert found is not None and found.keys() == {"too_large", "sha256", "keys"}
    assert found["too_large"] > LARGEST > len(json.dumps(found))
    assert (found["keys"], kept(None)) == (sorted(large), None)
    assert kept(large | {"key1": "y"}) != found


def test_differences_are_the_keys_whose_values_differ() -> None:
    assert differences({"a": 1, "b": 2, "c": None}, {"a": 1, "b": 3, "d": 4}) == (
        {"b": 2, "c": None},
        {"b": 3, "d": 4},
    )
    assert differences({"a": 1}, {"a": 1}) == ({}, {})
