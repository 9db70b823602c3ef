"""Which value stands at a destination after a second batch: by rule, by the lead, by what a person did there."""

from __future__ import annotations

from itertools import product
from typing import Any

from enrichment_assets.services.catalog.configuration import add_workflow
from tests.actors import TESTER
from tests.delivery.crm import ask, contacts, destination
from tests.delivery.test_delivering import finished, people, sent
from tests.harness.batches import BatchHarness
from tests.harness.handles import hq_of

RULES = ("always", "if_empty", "never")
COLUMNS = {"same": "title", "changed": "company_name", "emptied": "city", "filled": "industry"}
"""What becomes of a column between the batches -> the column."""

FIRST = {"title": "CEO", "company_name": "Acme", "city": "Erie"}
SECOND = {"title": "CEO", "company_name": "Acme Inc", "industry": "golf"}
REPS = {"nothing": None, "wrote": "a rep's", "emptied": ""}
"""What a person there did meanwhile -> what stands there then; None: what we wrote."""

THERE = "/contacts/{{ delivery.external_id }}"
READ = {"request": {"method": "GET", "url": THERE}, "current": "fields"}
BY_FIELD = {"request": {"url": f"{THERE}/fields/{{{{ field.name }}}}", "body": {"value": "{{ field.value }}"}}}
WAYS: dict[str, dict[str, Any]] = {
    "at once, read before": {"read": READ},
    "field by field, read before": {"read": READ, "update": None, "field_update": BY_FIELD},
    "at once": {},
    "field by field": {"update": None, "field_update": BY_FIELD},
    "what changed is left": {"on_change": "skip"},
    "never again": {"on_change": "never"},
}


def after(way: str, rule: str, column: str, rep: str) -> str:
    """What is to stand there in the end; empty: nothing."""
    first, second = FIRST.get(COLUMNS[column], ""), SECOND.get(COLUMNS[column], "")
    here = first if REPS[rep] is None else str(REPS[rep])
    if "on_change" in WAYS[way] or rule == "never" or first == second:
        return here
    if "read" in WAYS[way] and here != first:
        return here  # somebody said so there
    if rule == "if_empty":
        return here if first or not second else second
    return second


def test_a_field_has_the_value_that_its_rule_the_lead_and_a_rep_leave_there(harness: BatchHarness) -> None:
    cases = {"-".join(case): case for case in product(RULES, COLUMNS, REPS)}
    fields = {name: {"from": COLUMNS[column], "write": rule} for name, (rule, column, _) in cases.items()}
    slugs = {f"way-{number}": way for number, way in enumerate(WAYS)}
    for slug, way in slugs.items():
        workflow = destination(slug, {"fields": {"Email": "email", **fields}, "target": slug, **WAYS[way]})
        add_workflow(hq_of(harness.settings), harness.settings, workflow, actor=TESTER)
    (one,) = people("Ann")
    sent(finished(harness, [{**one, **FIRST}]), *slugs)
    for made, (name, (_, _, rep)) in product(contacts(harness.sandbox), cases.items()):
        if REPS[rep] is not None:
            ask(harness.sandbox, "POST", f"/contacts/{made['id']}/fields/{name}", {"value": REPS[rep]})
    sent(finished(harness, [{**one, **SECOND}]), *slugs)
    there = {made["list"]: made for made in contacts(harness.sandbox)}
    assert len(contacts(harness.sandbox)) == len(there) == len(slugs)
    found = {way: {name: there[slug]["fields"].get(name) or "" for name in cases} for slug, way in slugs.items()}
    assert found == {way: {name: after(way, *case) for name, case in cases.items()} for way in WAYS}
    again = sent(finished(harness, [{**one, **SECOND}]), *slugs).plans
    assert {(plan.created, plan.updated) for plan in again} == {(0, 0)}
    assert {made["list"]: made["writes"] for made in contacts(harness.sandbox)} == {
        slug: made["writes"] for slug, made in there.items()
    }
