"""Whether two leads become one golden record: `yes`, `no`, or `hold` where that is for a person to say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.golden.records import Leads
from tests.quality.cases import DATA, read_cases


def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"one": _answers()[_name(given)]}


def _name(given: Mapping[str, Any]) -> str:
    return json.dumps(given, sort_keys=True)


@cache
def _answers() -> dict[str, str]:
    """All cases at once, each of them a client of its own: a build takes as long for one as for hundreds.

    `others`: further leads of the client. Records of the first two leads are looked at.
    """
    leads = Leads()
    names = [_name(case.given) for case in read_cases(DATA / "people")]
    for number, name in enumerate(names):
        given = json.loads(name)
        leads.add(f"c{number}", [given["a"], given["b"], *given.get("others", [])])
    kind = {"people": ("lead_people", "person_id"), "companies": ("lead_companies", "company_id")}
    found = {}
    for what, (model, identity) in kind.items():
        leads.build(model)
        rows = leads.rows(
            f"select client_slug, {identity}, held_with from {model} "
            "qualify row_number() over (partition by client_slug order by item_id) <= 2 order by item_id"
        )
        for number, name in enumerate(names):
            if json.loads(name).get("about", "people") == what:
                found[name] = _verdict([row[1:] for row in rows if row[0] == f"c{number}"])
    return found


def _verdict(two: list[tuple[str, str | None]]) -> str:
    if len(two) < 2:
        return "no"
    (one, held), (other, also_held) = two
    if one == other:
        return "yes"
    return "hold" if held is not None and held == also_held else "no"
