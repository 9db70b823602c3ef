"""The setting behind bulk calls: how many items share one request, how they are put into it and found in its answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from enrichment_assets.domain.durations import Seconds


class Match(BaseModel):
    """How an answer's element says whose it is: by an id that was sent with the member and comes back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sent: str = Field(description="JMESPath over the rendered member: `metadata.id`, or `@` where it is one value")
    answered: str = Field(description="JMESPath over an element of the answer")
    ignore_case: bool = Field(default=False, description="the provider may write it in other letters: `ANN@ACME.COM`")


class Bulk(BaseModel):
    """One request that carries many items; each is a member with a fate of its own (docs/workflows.md).

    The request's templates see `members`, the list of the rendered members, and no field of an item. `response` and
    `provides` read one element of the answer, as if it had come alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_most: int = Field(ge=1, le=1000, description="members of one request, as the provider allows")
    wait: Seconds = Field(default=0.2, le=60.0, description="the longest that an item waits for company")
    member: dict[str, Any] | list[Any] | str = Field(description="what the request has of one item, a template")
    answers: str = Field(description="JMESPath over the body to the list of the members' answers")
    match: Literal["position"] | Match = Field(description="how an element of the answer finds its member")
    missing: Literal["failed", "not_found"] = Field(
        default="failed", description="what it means that the answer says nothing about a member"
    )
    status: str | None = Field(default=None, description="JMESPath over an element: the HTTP status that it stands for")
    unlisted: str | None = Field(
        default=None,
        description="JMESPath over the body to an object, reason -> how many: why a member is not among `answers`",
    )
    cost: str | None = Field(
        default=None, description="JMESPath over the whole body: what the call cost in units, shared by what was found"
    )
