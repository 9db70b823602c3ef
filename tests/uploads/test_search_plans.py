"""Search plans as uploads: made from templates once, or somebody's own table."""

from __future__ import annotations

from pathlib import Path

import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.batches.launching import plan_launch
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.uploads import search_plans
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

FS = search_plans.searches_of("fs")


def test_a_plan_is_an_upload_like_any_other_and_says_what_a_launch_would_cost(
    settings: Settings, tmp_path: Path
) -> None:
    hq = hq_of(settings)
    with pytest.raises(ConfigurationError, match="there is none yet"):
        search_plans.client_or_only(hq, None)
    add_client(hq, "acme", actor=TESTER)
    assert search_plans.client_or_only(hq, None) == "acme"
    made = [
        search_plans.upload_plan(
            hq, settings, FS, "acme", industries=["accounting"], regions=["Erie, PA"], target=target, actor=TESTER
        )
        for target in (20, 20, 50)
    ]
    assert [(one.rows, one.already_known) for one in made] == [(2, False), (2, True), (6, False)]
    assert made[0].filename == "fs-plan-accounting-erie-pa.csv"
    assert {column.key: column.field for column in made[0].columns} == {
        "query": None, "industry": "industry", "region": None, "page": None,
    }  # fmt: skip
    plan = plan_launch(hq, settings, made[0].upload_id, "fs-prospecting", target=20)
    assert plan.children == (("choose-companies", 2 * 20), ("choose-prospects", 20))
    assert plan.cost_with_children["USD"] > plan.cost_at_most["USD"]

    own = tmp_path / "own.csv"
    own.write_text('query\n"cpa in ""Erie, PA"""\n')
    upload = search_plans.upload_own_plan(hq, settings, own, "acme", actor=TESTER)
    plan = plan_launch(hq, settings, upload.upload_id, "fs-prospecting")
    assert not [problem for problem in plan.problems if "recognised" in problem], "a step reads the column by its name"
    own.write_text("question,industry\nwho,Accounting\n")
    with pytest.raises(ConfigurationError, match="has no column 'query'"):
        search_plans.upload_own_plan(hq, settings, own, "acme", actor=TESTER)


def test_what_no_plan_can_be_made_of_is_refused_by_name(settings: Settings) -> None:
    hq = hq_of(settings)
    for client in ("acme", "beta"):
        add_client(hq, client, actor=TESTER)
    with pytest.raises(ConfigurationError, match="there are acme, beta"):
        search_plans.client_or_only(hq, None)
    with pytest.raises(NotFoundError, match="fs-people"):
        search_plans.searches_of("gulf")
    with pytest.raises(ConfigurationError, match="without industry and region"):
        search_plans.refuse_both(["accounting"], None)
    with pytest.raises(NotFoundError, match="no client"):
        search_plans.upload_plan(hq, settings, FS, "gamma", industries=[], regions=["Erie, PA"], target=1, actor=TESTER)
