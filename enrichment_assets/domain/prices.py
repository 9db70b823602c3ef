"""`price` of a workflow: what one of its calls costs."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from enrichment_assets.domain.money import Money
from enrichment_assets.domain.prompts.token_prices import TokenPrice, with_currency_outside


class Price(BaseModel):
    """Money for one call, in exact decimals of `currency`. `per_unit` turns a reported unit cost into money.

    With `tokens` each call of a language model has a bound and a cost of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    estimate: Decimal = Field(default=Decimal(0), ge=0)
    not_found: Decimal | None = Field(default=None, ge=0, description="cost of a miss; None: like a hit")
    per_unit: Decimal | None = Field(default=None, ge=0, description="money per reported unit (credit)")
    unit: str = "credit"
    currency: str = "USD"
    tokens: TokenPrice | None = Field(default=None, description="a language model's price by kinds of tokens")

    def in_batch(self) -> Price:
        """What the same costs through the vendor's batch API."""
        return self if self.tokens is None else self.model_copy(update={"tokens": self.tokens.in_batch()})

    @property
    def said(self) -> str:
        """`0.05 USD`; by tokens `2.50 in, 10.00 out USD a million (2026-11-28)`."""
        if self.tokens is None:
            return f"{self.estimate} {self.currency}"
        into, out = (Money(amount, "").shown() for amount in (self.tokens.input, self.tokens.output))
        return f"{into} in, {out} out {self.currency} a million ({self.tokens.as_of})"

    @model_validator(mode="before")
    @classmethod
    def _one_currency(cls, value: object) -> object:
        return with_currency_outside(value)

    @model_validator(mode="after")
    def _one_way_to_price(self) -> Price:
        beside = [name for name in ("estimate", "not_found", "per_unit") if getattr(self, name)]
        if self.tokens is not None and beside:
            raise ValueError(f"`{beside[0]}` and `tokens` are two prices of one call: leave one of them out")
        return self
