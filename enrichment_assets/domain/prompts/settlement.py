"""What a model's answer cost: by the money that it names, else by the tokens that it names."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from enrichment_assets.domain.money import PLACES
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.neutral import Completion

_STEP = Decimal(1).scaleb(-PLACES)


def cost_of_completion(price: Price, completion: Completion) -> Decimal | None:
    """Money in the price's currency; None: the answer says nothing that can be priced, and what was reserved counts."""
    said = completion.cost
    if said is not None and said.currency == price.currency:
        return said.amount.quantize(_STEP, ROUND_HALF_EVEN)
    if price.tokens is not None and completion.usage is not None:
        return price.tokens.settled(completion.usage)
    return None
