"""No template takes gigabytes or hours: every filter and method is on a list, and is tried with large input."""

from __future__ import annotations

import resource
from typing import Any

import pytest
from jinja2 import Environment

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.template_bounds import ENVIRONMENT, FILTERS, MAX_LOOPS, MAX_TEXT, METHODS
from enrichment_assets.domain.templating import RequestRenderer
from tests.harness.batches import step

LARGE = {"text": "a,b" * 200_000, "words": ["word"] * 9_000, "n": 10**9, "people": [{"name": "Ann"}] * 2_000}


def rendered(template: Any, **context: Any) -> bytes:
    workflow = step("w", request={"url": "/x", "body": {"v": template}})
    return RequestRenderer(workflow).render({**LARGE, **context}).content or b""


@pytest.mark.parametrize(
    "template",
    [
        "{{ words|join(text) }}",
        "{{ text.join(words) }}",
        "{{ text|replace('', text) }}",
        "{{ text.replace('', text) }}",
        "{{ words|map('replace', 'w', text)|join }}",
        "{{ text ~ text }}",
        "{{ text + text }}",
        "{{ [text, text]|join }}",
        "{% for p in people %}{{ p.name }}{% endfor %}",
        "{% for w in words %}{{ text }}{% endfor %}",
        "{% for w in words[:900] %}{{ text }}{% endfor %}",
        "{{ text * n }}",
        "{{ n ** n }}",
        "{{ '%1000000000d' % n }}",
        "{{ '{:>1000000000}'.format(n) }}",
        "{{ 'x'.ljust(n) }}",
        "{{ 'x'.rjust(n) }}",
        "{{ 'x'.center(n) }}",
        "{{ 'x'.zfill(n) }}",
        "{{ '\t'.expandtabs(n) }}",
        "{{ n.to_bytes(n) }}",
        "{{ n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n * n"
        " * n * n * n * n * n * n * n * n * n * n * n * n }}",
    ],
)
def test_what_would_grow_beyond_its_input_is_refused_for_the_row(template: str) -> None:
    with pytest.raises(ContractError):
        rendered(template)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000, "kilobytes"


@pytest.mark.parametrize(
    "template",
    [
        "{{ words|batch(n, text) }}",
        "{{ words|slice(n) }}",
        "{{ text|center(n) }}",
        "{{ text|format(n) }}",
        "{{ text|indent(n) }}",
        "{{ text|wordwrap(1) }}",
        "{{ text|pprint }}",
        "{% set x = text %}{{ x }}",
        "{% macro m() %}x{% endmacro %}{{ m() }}",
        "{% for a in words %}{% for b in words %}x{% endfor %}{% endfor %}",
        "{% for a in words %}{% if a %}{% for b in words %}x{% endfor %}{% endif %}{% endfor %}",
        "{% for a in words recursive %}{{ loop(words) }}{% endfor %}",
        "{% filter upper %}x{% endfilter %}",
        "{% include 'x' %}",
    ],
)
def test_what_could_is_refused_when_the_workflow_is_saved(template: str) -> None:
    with pytest.raises(ConfigurationError):
        rendered(template)


def test_every_filter_of_jinja_is_either_on_the_list_or_gone() -> None:
    assert set(ENVIRONMENT.filters) == set(FILTERS) | {"_turns"}
    assert {"batch", "center", "format", "indent", "pprint", "slice", "wordwrap"} <= set(
        Environment().filters
    ) - FILTERS
    for method in set(dir(str)) - METHODS[str]:
        if not method.startswith("_"):
            with pytest.raises(ContractError):
                rendered(f"{{{{ text.{method}(1) }}}}")


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_of_the_list_stays_within_bounds_on_large_input(name: str) -> None:
    for value in ("text", "words", "n", "people"):
        for arguments in ("", "(n)", "(text)", "(n, text)"):
            try:
                assert len(rendered(f"{{{{ ({value}|{name}{arguments})|string|length }}}}")) < 100
            except ContractError:
                continue


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ first|upper ~ '-' ~ missing ~ true }}", b'{"v":"ANN-true"}'),
        ("{{ first.replace('n', 'N') }}", b'{"v":"ANN"}'),
        ("{{ ', '.join(names) }}", b'{"v":"Ann, Bob"}'),
        ("{{ names|join(', ') }}", b'{"v":"Ann, Bob"}'),
        ("{{ (score * 2) + 1 }}", b'{"v":7}'),
        ("{% for n in names %}{{ n }};{% endfor %}", b'{"v":"Ann;Bob;"}'),
        ("{% if score > 2 %}high{% else %}low{% endif %}", b'{"v":"high"}'),
        ("{{ (score / 7)|round(2) }}", b'{"v":0.43}'),
        ("id {{ big }}", b'{"v":"id 1000000000000000000000"}'),
        ("{{ big }}", b'{"v":1e+21}'),
        ("at {{ small }}", b'{"v":"at 0.0000001"}'),
        ("at {{ half }}", b'{"v":"at 0.5"}'),
    ],
)
def test_what_templates_are_for_stays_possible(template: str, expected: bytes) -> None:
    context = {"first": "Ann", "names": ["Ann", "Bob"], "score": 3, "big": 1.0e21, "small": 1e-7, "half": 0.5}
    assert rendered(template, **context) == expected


def test_bounds_leave_room_for_what_a_request_can_be() -> None:
    assert MAX_LOOPS >= 1_000 and MAX_TEXT >= 1_000_000
