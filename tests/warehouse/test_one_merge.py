"""One rule decides which value counts: for a step in memory, for an item loaded again, and in `final_leads`."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
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

CELLS: dict[str, st.SearchStrategy[str]] = {
    "first_name": st.sampled_from(["ada", "Ada "]),
    "title": st.sampled_from(["Clerk", " "]),
    "email": st.sampled_from(["a@alder.example", "b@alder.example"]),
    "phone": st.sampled_from(["+12025550101", "+12025550102"]),
    "company_name": st.sampled_from(["Alder", "Birch Ltd"]),
    "company_domain": st.sampled_from(["alder.example", "facebook.com"]),
    "company_website": st.sampled_from(["https://alder.example/", "https://birch.example"]),
    "linkedin_url": st.just("https://www.linkedin.com/in/ada"),
}
cells = st.fixed_dictionaries({}, optional=CELLS)
details = st.fixed_dictionaries(
    {},
    optional={
        "phone_country": st.just("US"),
        "phone_extension": st.just("7"),
        "do_not_call": st.sampled_from(["true", "false"]),
        "name_suffix": st.just("Jr."),
    },
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "first_name": st.sampled_from(["Ada", "Adele", "  "]),
        "title": st.sampled_from(["CTO", "CEO", ""]),
        "email": st.sampled_from(["a@alder.example", "b@alder.example", "email_not_unlocked@domain.com"]),
        "email_status": st.sampled_from(["valid", "invalid", "catch-all", "odd"]),
        "email_score": st.sampled_from([97, 80, 79]),
        "phone": st.sampled_from(["+12025550101", "+12025550103"]),
        "phone_type": st.sampled_from(["mobile", "work_hq"]),
        "phone_country": st.just("CA"),
        "company_name": st.sampled_from(["Alder Inc.", "Cedar"]),
        "company_domain": st.sampled_from(["www.alder.example", "cedar.example"]),
        "company_employee_count": st.sampled_from([12, 40]),
        "linkedin_url": st.just("https://www.linkedin.com/in/ada-2"),
        "mood": st.sampled_from(["good", "bad"]),
    },
)
corrected = st.dictionaries(
    st.sampled_from(["first_name", "title", "company_name", "company_domain", "mood"]),
    st.none() | st.just("corrected"),
    max_size=2,
)
corrected_contacts = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from([None, "a@alder.example", "new@alder.example"]),
        "phone": st.sampled_from([None, "+12025550101", "+12025550109"]),
    },
)
people = st.tuples(
    cells,
    details,
    st.fixed_dictionaries({slug: st.none() | answers for slug in WORKFLOWS}),
    st.fixed_dictionaries({slug: st.sampled_from([0, 100, 180, 181]) for slug in WORKFLOWS}),
    corrected | corrected_contacts,
    st.none() | st.tuples(st.sampled_from(list(WORKFLOWS)), st.sets(st.sampled_from(list(CELLS)))),
)
Person = tuple[
    dict[str, Any], dict[str, Any], dict[str, Any], dict[str, int], dict[str, str | None],
    tuple[str, set[str]] | None,
]  # fmt: skip
"""Cells, what they say besides, answers, their ages in days, corrections; of a child item, who emitted it and which of
the cells it named itself."""


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
    """What a step sees, under the names that `final_leads` has for it; what has no value left out."""
    unshown = {"email_records", "phone_records", "phone_status", "do_not_call"}
    return {SHOWN_ELSEWHERE.get(n, n): v for n, v in seen.items() if v is not None and n not in unshown}


# A batch of people is one example; making it smaller would cost a build a step, and the message names the person.
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.lists(people, min_size=60, max_size=90), st.randoms(use_true_random=False))
def test_a_step_an_item_loaded_again_and_final_leads_agree_on_every_field(
    shared: Build, drawn: list[Person], chance: random.Random
) -> None:
    key = f"merge-{chance.getrandbits(64):x}"
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
        # An e-mail's own status stands under the same name twice: the column is the verdict that counts.
        differing = {
            name: (value, shown.get(name))
            for name, value in expected.items()
            if name not in ("email_status", "email_score") and shown.get(name) != value
        }
        assert not differing, person
        assert row["email_status"] == seen.get("email_verdict"), person
        more = {name for name, value in shown.items() if value is not None and name in VALUES and name not in expected}
        assert not more, (more, person)
