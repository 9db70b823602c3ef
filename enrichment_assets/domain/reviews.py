"""A step that a person answers: what they are asked and shown, and the schema of the answer.

    provider: person
    review:
      question: Is this lead worth a call?
      shows: [first_name, company_name, draft_body]
      answer: {type: object, required: [worth_a_call], properties: {worth_a_call: {type: boolean}}}

`review:` stands in the place of `request:`. Nothing is sent to anybody: the step waits, without a deadline, until
somebody answers, and the answer comes through the inbox like any callback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

PERSON = "person"
"""What `provider` says in a workflow that a person answers."""

Shown = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Review(BaseModel):
    """What a person is asked about a lead (docs/review.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, max_length=2_000)
    shows: list[Shown] = Field(min_length=1, max_length=50, description="fields of the lead that are shown")
    answer: dict[str, Any] = Field(description="JSON Schema of the answer, an object")


def with_question(workflow: object) -> object:
    """A workflow as it is written, with what follows from its `review`.

    What is shown is its request, so that it is ordered, keyed and checked like any other; each property of the answer
    is a field unless `provides` says otherwise; and asking twice harms nobody.
    """
    if not isinstance(workflow, Mapping) or not isinstance(review := workflow.get("review"), Mapping):
        return workflow
    shows, answer = review.get("shows"), review.get("answer")
    names = [name for name in shows if isinstance(name, str)] if isinstance(shows, list) else []
    properties = answer.get("properties") if isinstance(answer, Mapping) else None
    body = {"question": review.get("question"), "shows": {name: f"{{{{ {name} }}}}" for name in names}}
    given = {
        "mode": "async",
        "operation": "review",
        "request": {"url": "/review", "body": body},
        "provides": {str(name): str(name) for name in properties} if isinstance(properties, Mapping) else {},
        "free_or_idempotent": True,
    }
    uses = workflow.get("uses") or []
    more = {"uses": list(dict.fromkeys([*uses, *names]))} if isinstance(uses, list) else {}
    return {**given, **workflow, **more}


def review_fault(workflow: Any) -> str | None:
    """What of a `WorkflowDefinition` cannot stand beside its `review`, or without one; None: nothing."""
    if workflow.review is None:
        return "a person is asked by `review`" if workflow.provider == PERSON else None
    if workflow.provider != PERSON:
        return f"a `review` asks a person: write `provider: {PERSON}`"
    if workflow.mode.value != "async":
        return "a person answers later: write `mode: async`"
    beside = [name for name in ("prompt", "poll", "bulk", "emits") if getattr(workflow, name) is not None]
    return f"a `review` stands alone: remove `{beside[0]}`" if beside else None
