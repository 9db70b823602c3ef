"""Everything that can be set on the sandbox: what it answers from, which faults it makes and how often.

`Behaviour` is one set of faults. `SandboxSettings` is the global one with overrides per provider and named scenarios;
a single request can choose a scenario or any override by header. Shares are between 0 and 1, times are seconds or
text such as `50ms` (`latency.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from enrichment_assets.domain.durations import Seconds
from enrichment_assets.sandbox.latency import Latency
from enrichment_assets.sandbox.limits import parse_limits

Share = Annotated[float, Field(ge=0, le=1)]
LatencyText = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]

SCENARIOS: Mapping[str, Mapping[str, Any]] = {
    "found": {"miss": 0},
    "miss": {"miss": 1},
    "error": {"errors": 1},
    "unavailable": {"errors": 1, "error_status": [503]},
    "rate-limited": {"rate_limited": 1},
    "no-credit": {"quota": 0},
    "timeout": {"timeouts": 1},
    "timeout-before-work": {"timeouts": 1, "fault_after_work": False},
    "reset": {"resets": 1},
    "reset-before-work": {"resets": 1, "fault_after_work": False},
    "garbage": {"garbage": 1, "garbage_kind": "invalid"},
    "truncated": {"garbage": 1, "garbage_kind": "truncated"},
    "html": {"garbage": 1, "garbage_kind": "html"},
    "empty": {"garbage": 1, "garbage_kind": "empty"},
    "wrong-types": {"wrong_types": 1},
    "later": {"later": 1},
    "blocked": {"blocked": 1},
    "remote-failure": {"remote_failures": 1},
    "refusal": {"refusals": 1},
    "cut-answer": {"cut_answers": 1},
    "failure-in-200": {"failures_in_200": 1},
    "invalid-answer": {"invalid_answers": 1},
    "broken-json": {"broken_json": 1},
    "prose": {"prose": 1},
    "wrapped-json": {"wrapped_json": 1},
    "overloaded": {"errors": 1, "error_status": [529]},
    "spend-limit": {"quota": 0, "spent_as": "spend_limit"},
    "spend-limit-429": {"quota": 0, "spent_as": "spend_limit_429"},
    "billing": {"quota": 0, "spent_as": "billing"},
    "rare-shapes": {"rare_shapes": 1},
    "remark": {"remarks": 1},
    "callback-dropped": {"callback_drop": 1},
    "callback-duplicated": {"callback_duplicate": 1},
    "callback-late": {"callback_late": 1},
    "callback-garbage": {"callback_garbage": 1},
}
"""Scenarios that a request chooses with the header `x-sandbox-scenario` (several joined by commas)."""


class Behaviour(BaseModel):
    """One set of faults. Without any, the sandbox answers at once, always finds something and never limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency: LatencyText = Field("0", description="time to an answer, as text (see the module latency.py)")
    miss: Share = Field(0, description="share of subjects that the provider does not know; a property of the subject")
    errors: Share = Field(0, description="share of calls answered with a 5xx, before any work")
    error_status: list[int] = Field(default=[500, 502, 503], min_length=1)
    rate_limited: Share = Field(0, description="share of calls refused as over the rate, before any work")
    timeouts: Share = Field(0, description="share of calls that hang for `hang` seconds and are then cut")
    resets: Share = Field(0, description="share of calls whose connection is reset in the middle of the answer")
    garbage: Share = Field(0, description="share of answers whose body cannot be read")
    garbage_kind: Literal["any", "invalid", "truncated", "html", "empty"] = "any"
    wrong_types: Share = Field(0, description="share of answers with values of another type than documented")
    fault_after_work: bool = Field(True, description="time-outs and resets come after the work, so it IS billed")
    fault_attempts: int | None = Field(None, ge=0, description="faults only in the first N attempts of one question")
    hang: Seconds = 600.0
    later: Share = Field(0, description="Hunter: share of first attempts answered 202, ask the same again")
    blocked: Share = Field(0, description="Hunter: share of persons that may not be processed (451)")
    remote_failures: Share = Field(0, description="Hunter: share of first verifications answered 222, try later")
    refusals: Share = Field(0, description="language models: share of questions that the model declines")
    cut_answers: Share = Field(0, description="language models: share of answers cut off in the middle")
    failures_in_200: Share = Field(0, description="language models: share of answers that fail inside HTTP 200")
    invalid_answers: Share = Field(0, description="language models: share of answers that do not fit the schema")
    broken_json: Share = Field(0, description="language models: share of answers that are no JSON")
    prose: Share = Field(0, description="language models: share of answers that are sentences instead of JSON")
    wrapped_json: Share = Field(0, description="language models: share of answers with JSON between sentences")
    cached_input: Share = Field(0, description="language models: share of the input that counts as cached")
    spent_as: Literal["default", "spend_limit", "billing", "spend_limit_429"] = Field(
        "default", description="Anthropic: how an exhausted key is told, 400, 402 or 429"
    )
    batch_expired: Share = Field(0, description="language models: share of a batch's lines that expire")
    batch_failed: Share = Field(0, description="language models: share of a batch's lines that fail")
    batch_canceled: Share = Field(0, description="language models: share of a batch's lines that are canceled")
    batch_missing: Share = Field(0, description="language models: share of a batch's lines that no result is given for")
    drip: Seconds = Field(0, description="an answer's body comes in pieces, over so many seconds")
    gateway_retries: int = Field(3, ge=0, le=10, description="gateway: how often it waits before it passes a 429 on")
    remarks: Share = Field(0, description="Overpass: share of answers cut short, with a `remark`, inside a 200")
    rare_shapes: Share = Field(0, description="share of subjects answered in the rarer shapes that vendors send")
    limits: str | None = Field(None, description="per key: `15/s,500/m`, `documented` or none")
    concurrency: int | None = Field(None, ge=1, description="calls of one key under way at once")
    quota: Decimal | None = Field(None, ge=0, description="units that a key may spend before it is exhausted")
    honour_idempotency: bool | None = Field(None, description="none: as the real provider does")
    callback_delay: LatencyText = "0"
    callback_drop: Share = 0
    callback_duplicate: Share = 0
    callback_late: Share = 0
    callback_late_by: LatencyText = "30s"
    callback_garbage: Share = 0
    shuffle_callbacks: bool = Field(False, description="callbacks arrive in another order than they were asked for")
    shuffle_window: Seconds = Field(1.0, description="how far apart the shuffle may put two neighbours, seconds")
    hold_callbacks: bool = Field(False, description="keep callbacks until POST /_sandbox/flush-callbacks")

    @field_validator("latency", "callback_delay", "callback_late_by")
    @classmethod
    def _is_latency(cls, value: str) -> str:
        Latency.parse(value)
        return value

    @field_validator("limits")
    @classmethod
    def _is_limits(cls, value: str | None) -> str | None:
        if value is not None and value != "documented":
            parse_limits(value)
        return value

    @cached_property
    def latency_of(self) -> Latency:
        """`latency`, parsed."""
        return Latency.parse(self.latency)

    @cached_property
    def callback_delay_of(self) -> Latency:
        """`callback_delay`, parsed."""
        return Latency.parse(self.callback_delay)

    @cached_property
    def callback_late_by_of(self) -> Latency:
        """`callback_late_by`, parsed."""
        return Latency.parse(self.callback_late_by)

    @cached_property
    def is_faulty(self) -> bool:
        """Whether any call can go wrong, so that attempts have to be counted."""
        calls = (self.errors, self.rate_limited, self.timeouts, self.resets, self.garbage, self.wrong_types)
        asked_again = (self.later, self.remote_failures, self.remarks)
        written = (self.cut_answers, self.failures_in_200, self.invalid_answers, self.broken_json, self.prose)
        callbacks = (self.callback_drop, self.callback_duplicate, self.callback_late, self.callback_garbage)
        return any(calls) or any(asked_again) or any(written) or any(callbacks) or self.shuffle_callbacks


class SandboxSettings(Behaviour):
    """The whole server: the global behaviour, overrides per provider, named scenarios, prices and keys."""

    seed: int = 7
    web: Literal["first", "second"] = Field("first", description="how the small web is written: in one of two ways")
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict, description="provider -> Behaviour fields")
    scenarios: dict[str, dict[str, Any]] = Field(default_factory=dict, description="name -> Behaviour fields")
    prices: dict[str, Decimal] = Field(default_factory=dict, description="provider -> money per unit, over the default")
    require_key: bool = Field(True, description="refuse calls without an API key as the provider would")
    rejected_keys: list[str] = Field(default_factory=list, description="keys answered as unknown, besides invalid*")
    result_ttl: Seconds = Field(30 * 86400.0, description="how long Apollo keeps a webhook result")
    recent_calls: int = Field(1000, ge=0, description="calls kept for GET /_sandbox/calls")
    webhook_secret: str = Field(
        "whsec_c2FuZGJveC1yZWNlaXZlci1vZi13ZWJob29rcy0x", description="what messages to /webhooks/ are signed with"
    )
    callback_concurrency: int = Field(100, ge=1)
    callback_timeout: Seconds = 10.0

    @field_validator("providers", "scenarios")
    @classmethod
    def _are_behaviours(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for overrides in value.values():
            Behaviour.model_validate(overrides)
        return value

    def scenario(self, names: str) -> dict[str, Any]:
        """The overrides of scenarios joined by commas, later ones winning; raises `ValueError` for an unknown one."""
        overrides: dict[str, Any] = {}
        for name in (part.strip() for part in names.split(",")):
            found = self.scenarios.get(name, SCENARIOS.get(name))
            if found is None:
                known = ", ".join(sorted({*SCENARIOS, *self.scenarios}))
                raise ValueError(f"no scenario {name!r}; known: {known}")
            overrides.update(found)
        return overrides

    def behaviour(self, provider: str, overrides: Mapping[str, Any] | None = None) -> Behaviour:
        """The behaviour of one provider, with the overrides of one request on top."""
        base = {name: getattr(self, name) for name in Behaviour.model_fields}
        return Behaviour.model_validate({**base, **self.providers.get(provider, {}), **(overrides or {})})

    def patched(self, changes: Mapping[str, Any]) -> SandboxSettings:
        """These settings with `changes` merged in; `providers` and `scenarios` merge by name, null removes one."""
        merged = self.model_dump()
        for name, value in changes.items():
            if name in {"providers", "scenarios"} and isinstance(value, dict):
                merged[name] = {k: v for k, v in {**merged[name], **value}.items() if v is not None}
            else:
                merged[name] = value
        return SandboxSettings.model_validate(merged)
