"""What a person says about organisations counts at the next build, for its client alone, until it is taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.insight.organisation_decisions import join, list_decisions, part, undo
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead
from tests.warehouse.test_organisations import history, job

LEADS = [
    Lead({}, [history(job("Initech", "i1"), job("Initech Labs", "i2"), job("Umbrella", None), job("Hooli", "h1"))]),
    Lead({}, [history(job("Hooli XYZ", "h1"), job("Globex", "g1"))]),
    Lead({"company_name": "Globex", "company_website": "https://globex.example"}),
    Lead({}, [Answer("org", {"organization": {"id": "g1", "name": "Globex", "website_url": "globex.example"}})]),
]


@pytest.fixture
def hq(build: Build, settings: Settings) -> Iterator[Hq]:
    build(LEADS, batch_key="acme-1", client="acme").close()
    yield hq_of(settings)


def organisations(settings: Settings, client: str = "acme") -> list[set[str]]:
    """The aliases of each organisation."""
    rows = (
        open_warehouse(settings, client_slug=client)
        .execute("select list(alias_key) from organisation_aliases group by organisation_id")
        .fetchall()
    )
    return [set(row[0]) for row in rows]


def rules(settings: Settings, *keys: str) -> list[str]:
    query = "select rule from organisation_aliases where list_contains(?, alias_key) order by alias_key"
    return [row[0] for row in open_warehouse(settings, client_slug="acme").execute(query, [list(keys)]).fetchall()]


def of(found: list[set[str]], alias: str) -> set[str]:
    (one,) = [aliases for aliases in found if alias in aliases]
    return one


def test_two_are_joined_and_an_alias_is_parted_at_the_next_build_until_that_is_taken_back(
    hq: Hq, build: Build, settings: Settings
) -> None:
    before = organisations(settings)
    assert of(before, "name:initech") == {"name:initech", "apollo:i1"}
    assert of(before, "name:hooli") == {"name:hooli", "name:hooli xyz", "apollo:h1"}
    first = join(hq, "acme", "apollo:i1", "name:initech labs", "one firm since 2020", actor=TESTER)
    second = join(hq, "acme", "name:umbrella", "apollo:i2", "the parent", actor=TESTER)
    third = part(hq, "acme", "name:hooli xyz", "a firm of its own", actor=TESTER)
    assert organisations(settings) == before, "not before the next build"

    build([Lead({"full_name": "Ada"})], batch_key="acme-2", client="acme").close()
    found = organisations(settings)
    assert of(found, "name:initech") == {
        "name:initech", "apollo:i1", "name:initech labs", "apollo:i2", "name:umbrella"
    }  # fmt: skip
    assert of(found, "name:hooli") == {"name:hooli", "apollo:h1"}
    assert of(found, "name:hooli xyz") == {"name:hooli xyz"}
    assert "joined_by_hand" in rules(settings, "name:initech", "name:initech labs", "name:umbrella")
    assert rules(settings, "name:hooli xyz", "name:hooli") == ["identifier", "apart_by_hand"]
    assert of(found, "name:globex") == of(before, "name:globex")

    build(LEADS, batch_key="globex-1", client="globex").close()
    assert of(organisations(settings, "globex"), "name:initech") == {"name:initech", "apollo:i1"}

    with pytest.raises(NotFoundError, match="no decision"):
        undo(hq, "globex", first.id, actor=TESTER)
    for decision in (first, second, third):
        undo(hq, "acme", decision.id, actor=TESTER)
    assert list_decisions(hq, "acme") == []
    build([Lead({"full_name": "Bea"})], batch_key="acme-3", client="acme").close()
    assert sorted(map(sorted, organisations(settings))) == sorted(map(sorted, before))


def test_an_identifier_stands_alone_with_what_it_was_wrongly_found_with_left_where_it_was(
    hq: Hq, build: Build, settings: Settings
) -> None:
    part(hq, "acme", "apollo:g1", "the id is another firm's", actor=TESTER)
    part(hq, "acme", "host:globex.example", "a shop of many firms", actor=TESTER)
    build([Lead({"full_name": "Ada"})], batch_key="acme-2", client="acme").close()
    found = organisations(settings)
    assert [of(found, key) for key in ("apollo:g1", "host:globex.example", "name:globex")] == [
        {"apollo:g1"},
        {"host:globex.example"},
        {"name:globex"},
    ]


def test_what_is_no_alias_and_what_has_no_reason_is_refused(hq: Hq) -> None:
    for first, second, reason in (("acme", "name:x", "y"), ("name:x", "name:x", "y"), ("name:x", "name:y", " ")):
        with pytest.raises(ConfigurationError):
            join(hq, "acme", first, second, reason, actor=TESTER)
    with pytest.raises(NotFoundError):
        part(hq, "nobody", "name:x", "y", actor=TESTER)
    assert list_decisions(hq) == []
