"""The setting behind fan-out: what a workflow `emits`, and how a child item takes a step of the blueprint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Emits(BaseModel):
    """What of an answer becomes child items, and what becomes of the item itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: str = Field(description="JMESPath over the payload to a list of objects; their keys are field names")
    key: str | None = Field(default=None, description="JMESPath over one object: equal values are one child")
    at_most: int = Field(default=1000, ge=1, le=10_000, description="children of one answer")
    parent: Literal["stops", "goes_on"] = Field(
        default="stops", description="whether the item that was asked about takes the steps behind this one, too"
    )


def _shorthand(value: object) -> object:
    """`emits: data.people` is short for `emits: {items: data.people}`."""
    return {"items": value} if isinstance(value, str) else value


EmitsField = Annotated[Emits | None, BeforeValidator(_shorthand)]


@dataclass(frozen=True, slots=True)
class ChildStep:
    """One step of the blueprint for children of an emitting step.

    Attributes:
        way: `runs`, `shares` (runs where the child is at its parent's company, whose answer it shares), `inherited`.
    """

    position: int
    slug: str
    way: Literal["runs", "shares", "inherited"]
