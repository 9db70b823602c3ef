"""One rule decides which value counts: for a step in memory, for an item loaded again, and in `final_leads`."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.merge_policy import Source
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.runs.contexts import LoadedItem, load_items
from enrichment_assets.warehouse import build_models, open_warehouse, publish_batch_sources
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead, Seeded, seed_batch

WORKFLOWS = {
    "normalise-name": "local",
    "normalise-domain": "local",
    "match-person-via-apollo": "apollo",
    "find-email-via-hunter": "hunter",
    "score-it": "http",
}
SOURCES = StepSources(
    {slug: Source("workflow", slug, provider, place) for place, (slug, provider) in enumerate(WORKFLOWS.items())}, {}
)
SHOWN_ELSEWHERE = {"email_verdict": "email_status"}
"""Names that a step has for columns of `final_leads`."""
STEPS_NAME = {column: name for name, column in SHOWN_ELSEWHERE.items()}

VALUES = {
    "first_name", "title", "email", "email_status", "email_confidence", "phone", "phone_type", "phone_confidence",
    "phone_do_not_call", "linkedin_url", "company_name", "company_domain", "company_website", "company_employee_count",
    "mood", "phone_country", "phone_extension", "name_suffix", "email_sources_disagree", "email_finders",
    "email_is_confirmed",
}  # fmt: skip

CELLS: dict[str, list[Any]] = {
    "first_name": ["ada", "Ada "],
    "title": ["Clerk", " "],
    "email": ["a@alder.example", "b@alder.example"],
    "phone": ["+12025550101", "+12025550102"],
    "company_name": ["Alder", "Birch Ltd"],
    "company_domain": ["alder.example", "facebook.com"],
    "company_website": ["https://alder.example/", "https://birch.example"],
    "linkedin_url": ["https://www.linkedin.com/in/ada"],
}
DETAILS: dict[str, list[Any]] = {
    "phone_country": ["US"],
    "phone_extension": ["7"],
    "do_not_call": ["true", "false"],
    "name_suffix": ["Jr."],
}
ANSWERS: dict[str, list[Any]] = {
    "first_name": ["Ada", "Adele", "  "],
    "title": ["CTO", "CEO", ""],
    "email": ["a@alder.example", "b@alder.example", "email_not_unlocked@domain.com"],
    "email_status": ["valid", "invalid", "catch-all", "odd"],
    "email_score": [97, 80, 79],
    "phone": ["+12025550101", "+12025550103"],
    "phone_type": ["mobile", "work_hq"],
    "phone_country": ["CA"],
    "company_name": ["Alder Inc.", "Cedar"],
    "company_domain": ["www.alder.example", "cedar.example"],
    "company_employee_count": [12, 40],
    "linkedin_url": ["https://www.linkedin.com/in/ada-2"],
    "mood": ["good", "bad"],
}
CORRECTED: dict[str, list[Any]] = {
    name: [None, "corrected"] for name in ("first_name", "title", "company_name", "company_domain", "mood")
}
CORRECTED_CONTACTS: dict[str, list[Any]] = {
    "email": [None, "a@alder.example", "new@alder.example"],
    "phone": [None, "+12025550101", "+12025550109"],
}
Person = tuple[
    dict[str, Any], dict[str, Any], dict[str, Any], dict[str, int], dict[str, str | None],
    tuple[str, set[str]] | None,
]  # fmt: skip
"""Cells, what they say besides, answers, their ages in days, corrections; of a child item, who emitted it and which of
the cells it named itself."""


def some(chance: random.Random, values: dict[str, list[Any]], most: int | None = None) -> dict[str, Any]:
    """Some of the names, `most` at most, each with one of its values."""
    count = chance.randint(0, len(values) if most is None else most)
    return {name: chance.choice(values[name]) for name in chance.sample(list(values), count)}


def someone(chance: random.Random) -> Person:
    corrected = some(chance, CORRECTED, 2) if chance.random() < 0.5 else some(chance, CORRECTED_CONTACTS)
    own = {name for name in CELLS if not name.startswith("company_") or chance.random() < 0.5}  # the rest: its parent's
    child = chance.choice([None, (chance.choice(list(WORKFLOWS)), own)])
    answers = {slug: chance.choice([None, some(chance, ANSWERS)]) for slug in WORKFLOWS}
    if child is not None:
        answers[child[0]] = None  # whoever emits an item is not asked about it
    ages = {slug: chance.choice([0, 100, 180, 181]) for slug in WORKFLOWS}
    return some(chance, CELLS), some(chance, DETAILS), answers, ages, corrected, child


REQUEST = RequestRenderer(
    WorkflowDefinition.model_validate({
        "slug": "write", "title": "Write", "step": 9, "provider": "http", "operation": "write", "mode": "sync",
        "request": {"url": "/", "body": {name: f"{{{{ {STEPS_NAME.get(name, name)} }}}}" for name in VALUES}},
    })
)  # fmt: skip
"""A line that quotes every field."""


def lead(person: Person) -> Lead:
    row, said, given_by, ages, *_ = person
    made = [
        Answer(slug, {}, given_by[slug], provider=provider, age_days=ages[slug])
        if given_by[slug] is not None
        else Answer(slug, provider=provider, outcome="not_found")
        for slug, provider in WORKFLOWS.items()
    ]
    return Lead(row, made, details=said)


def seeded(build: Build, drawn: list[Person], batch_key: str) -> Seeded:
    """The people in HQ, each with what was corrected; a correction that counts no more comes before."""
    with connect(build.settings.hq_database_url or "") as hq:
        batch = seed_batch(hq, [lead(person) for person in drawn], batch_key=batch_key)
        for item, (row, *_, edits, child) in zip(batch.item_ids, drawn, strict=True):
            if child is not None:
                hq.execute(
                    "update batch_items set parent_item_id = %s, origin_key = %s, original_data = %s where id = %s",
                    [batch.item_ids[0], f"{child[0]}:{item}", Jsonb({name: row.get(name) for name in child[1]}), item],
                )
            for field, value in edits.items():
                for text in ("earlier", value):
                    hq.execute(
                        "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
                        "select client_id, id, %s, %s, %s, 'ada' from batches where id = %s",
                        [item, field, text, batch.batch_id],
                    )
    return batch


async def reloaded(url: str, batch: Seeded) -> list[LoadedItem]:
    async with await connect_async(url, autocommit=True) as connection:
        held = [(item, 0) for item in batch.item_ids]
        return await load_items(connection, batch.batch_id, held, sources=SOURCES, with_original=False)


def in_memory(item: LoadedItem, person: Person, chance: random.Random) -> LoadedItem:
    """The same item as a run holds it whose answers have come back in any order."""
    again = replace(item, _given={})
    given_by, ages = person[2:4]
    for slug in chance.sample(list(WORKFLOWS), len(WORKFLOWS)):
        if given_by[slug] is not None:
            again.take(SOURCES.sources[slug], given_by[slug], item.launched_at - timedelta(days=ages[slug]))
    return again


def as_shown(seen: dict[str, Any]) -> dict[str, Any]:
    """What a step sees, under the names that `final_leads` has for it; what has no value left out.

    A step sees an e-mail's status as its source said it, too; the column of that name is the verdict.
    """
    unshown = {"email_records", "phone_records", "phone_status", "do_not_call", *SHOWN_ELSEWHERE.values()}
    return {SHOWN_ELSEWHERE.get(n, n): v for n, v in seen.items() if v is not None and n not in unshown}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_step_an_item_loaded_again_and_final_leads_agree_on_every_field(shared: Build, seed: int) -> None:
    chance = random.Random(seed)
    drawn = [someone(chance) for _ in range(150)]
    key = f"merge-{seed}"
    batch = seeded(shared, drawn, key)
    publish_batch_sources(hq_of(shared.settings), shared.settings, key)
    build_models(shared.settings, key, ["final_leads"])
    items = asyncio.run(reloaded(shared.settings.hq_database_url or "", batch))
    with open_warehouse(shared.settings, client_slug="acme", batch_key=key) as warehouse:
        rows = warehouse.execute("select * from final_leads order by row_number").to_arrow_table().to_pylist()
    assert len(rows) == len(items) == len(drawn)
    for person, item, row in zip(drawn, items, rows, strict=True):
        seen = item.fields_at(len(WORKFLOWS))
        assert in_memory(item, person, chance).fields_at(len(WORKFLOWS)) == seen, person
        shown = {**json.loads(row["other_fields"] or "{}"), **{n: v for n, v in row.items() if n != "other_fields"}}
        expected = as_shown(seen)
        quoted = json.loads(REQUEST.render(seen).content or b"{}")
        assert quoted == {name: value for name, value in expected.items() if name in VALUES}, (
            "a line quotes what is shown"
        )
        differing = {
            name: (value, shown.get(name))
            for name, value in expected.items()
            if name != "email_score" and shown.get(name) != value
        }
        assert not differing, person
        assert row["email_status"] == seen.get("email_verdict"), person
        more = {name for name, value in shown.items() if value is not None and name in VALUES and name not in expected}
        assert not more, (more, person)
