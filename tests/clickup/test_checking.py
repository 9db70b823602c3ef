"""What a workspace lacks is said before the first lead goes there, with what to do; nothing is made there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.deliveries.checking import check_delivery
from tests.clickup.places import new_leads
from tests.clickup.test_simulated_clickup import TOKEN, ClickUp


@pytest.fixture
def clickup(sandbox_process: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClickUp]:
    monkeypatch.setenv("CLICKUP_API_TOKEN", TOKEN)
    made = ClickUp(sandbox_process)
    yield made
    made.http.close()


def lacks(clickup: ClickUp, workflow: WorkflowDefinition | None = None) -> list[str]:
    url = clickup.sandbox.url
    found = check_delivery(workflow or new_leads(), build_providers(url)["clickup"], url)
    assert found is not None, "ClickUp can be asked"
    return found


def test_a_workspace_that_has_all_lacks_nothing(clickup: ClickUp) -> None:
    assert lacks(clickup) == []
    assert clickup.happen("tasks")["tasks"] == []


def test_everything_that_is_missing_is_said_at_once(clickup: ClickUp) -> None:
    lists = {one["folder"]["name"]: one["id"] for one in clickup.places["lists"]}
    clickup.happen("archive-list", list=lists["Budget"])
    clickup.happen("edit-field", field="Phone", removed=True)
    clickup.happen("edit-field", field="Segment", options={"budget": "cheap"})
    clickup.happen("add-field", name="Email", type="email", home=lists["High-end"])
    clickup.happen("edit-field", field="Enrichment Key", removed=True)
    clickup.happen("add-field", name="Enrichment Key", type="number")
    clickup.happen("plan", field_writes=60)
    workflow = new_leads(
        folders={"high-end": "High-end", "budget": "Budget", "both": "Boath"},
        assignees={"default": "zoe@fairway.example"},
    )
    said = lacks(clickup, workflow)
    fields = len([one for one in workflow.delivery.fields if one[0].isupper()]) + 1 if workflow.delivery else 0
    assert said == [
        "the workspace is on the plan Free Forever: it has 60 values of custom fields in all (FIELD_033 afterwards), "
        f"which are {60 // fields} tasks of {fields} fields",
        "nobody in the workspace has the address zoe@fairway.example, to whom tasks are assigned",
        "the list 'New Leads' of the folder 'Budget' is archived: no task can be made in it",
        "there is no folder 'Boath': did you mean 'Both'? there are High-end, Budget, Both",
        "High-end / New Leads: `Segment` has no option 'budget'; it has high-end, cheap, both",
        "High-end / New Leads: the list has 2 fields `Email`: rename one, or name the one that is meant by its id",
        "High-end / New Leads: the list has no field `Phone`",
        "High-end / New Leads: `Enrichment Key` has to be a short text: by it a task is found again",
    ]


def test_a_refused_token_a_strange_workspace_and_a_missing_right_are_said(
    clickup: ClickUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lacks(clickup, new_leads(team_id=None)) == [
        "`parameters.team_id` is not set: it is the number of the workspace, the first one in its addresses"
    ]
    (strange,) = lacks(clickup, new_leads(team_id="123"))
    assert strange.startswith("the token's owner is in no workspace 123")
    (space,) = lacks(clickup, new_leads(space="Marketing"))
    assert space.startswith("there is no space 'Marketing'")
    clickup.happen("permission", list=clickup.list)
    (right,) = lacks(clickup)
    assert "ACCESS_083" in right
    assert "give them access" in right
    monkeypatch.setenv("CLICKUP_API_TOKEN", "invalid")
    (token,) = lacks(clickup)
    assert "the token was refused (OAUTH_025)" in token
