"""How fast a workflow may ask, and for how long it goes on asking."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from enrichment_assets.domain.durations import Seconds


class Limits(BaseModel):
    """Rates of one provider key, and how many calls of this workflow may be under way at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: float | None = Field(default=None, gt=0)
    per_minute: float | None = Field(default=None, gt=0)
    per_day: float | None = Field(default=None, gt=0)
    concurrency: int = Field(default=10, ge=1, le=2000)


class Retry(BaseModel):
    """Bounds of the retry loop: exponential backoff with full jitter between `base` and `max` seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(default=3, ge=1, le=20)
    base: Seconds = 0.5
    max: Seconds = 30.0
    total: Seconds = 300.0
    timeout: Seconds = 30.0
    invalid_answers: int = Field(
        default=1, ge=0, le=5, description="a prompt: answers that do not fit the schema and are asked for again"
    )
