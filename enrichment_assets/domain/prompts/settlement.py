"""What a model's call may cost before it leaves, and what it did cost: by the money or the tokens that it names."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from enrichment_assets.domain.money import PLACES
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.neutral import Completion

_STEP = Decimal(1).scaleb(-PLACES)

UNTOLD = "the answer does not say what it used: booked at what was reserved for it"


class CostBasis(StrEnum):
    """What the cost of a model's call follows from."""

    REPORTED = "reported"
    """The answer names the money."""
    USAGE = "usage"
    """It names tokens, at the workflow's prices."""
    RESERVED = "reserved"
    """It names nothing that can be priced, or never came: what was set aside is booked."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a call cost, in the price's currency, and why. `amount` of None: as reserved."""

    amount: Decimal | None
    basis: CostBasis


def settled(price: Price, completion: Completion) -> Settled:
    """What a model's answer cost."""
    said = completion.cost
    if said is not None and said.currency == price.currency:
        return Settled(said.amount.quantize(_STEP, ROUND_HALF_EVEN), CostBasis.REPORTED)
    if price.tokens is not None and completion.usage is not None:
        return Settled(price.tokens.settled(completion.usage), CostBasis.USAGE)
    return Settled(None, CostBasis.RESERVED)


def reserved_for(price: Price, prompt: Prompt, request_bytes: int, asks: int = 1) -> Decimal:
    """The most that a call of a prompt should cost, whose request has a body of so many bytes.

    A model without a price by tokens costs its estimate for each of the `asks`.
    """
    if price.tokens is None:
        return price.estimate * asks
    searches = 0 if prompt.search is None else prompt.search.at_most
    return price.tokens.bound(request_bytes, prompt.max_output_tokens, searches, asks)
