r"""The price of a model call by kinds of token: the most that it can cost before it leaves, and what it did cost.

**The bound.** Before a call, nobody but the vendor can count its tokens: tokenizers differ by model, and many are not
published. One thing holds for those that are (byte-level BPE as of GPT, Llama 3 and Qwen; SentencePiece with fallback
to bytes as of Mistral): each token stands for one byte or more of the text, so a text has no more tokens than bytes.
The body of the request is JSON: it holds all the text that we send, none of it in fewer bytes than plain (`\n` is two
bytes for one, `\u00e9` six for two), and the names and quotes around a message are more bytes than the few tokens that
a model has between messages. So the bytes of the body bound the tokens of what is sent. A tighter rule, as "four bytes
a token", is an average of English prose: digits, names, Chinese and noise go above it, and a budget is there for those.
What a vendor adds by itself (`ADDED`, `TokenPrice.search_input`) is not in the body: that part is a margin and no
proof, and a settled amount above the bound is booked as it is.

**The settlement.** Tokens times prices, exact, rounded to the places that the ledger keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from enrichment_assets.domain.money import PLACES
from enrichment_assets.domain.prompts.usage import TokenUsage

MILLION = 1_000_000
ADDED = 2_000
"""Input tokens that a vendor adds to what is sent: its own instructions for tools, searches and forms of answers."""

AGAIN = 4_000
"""Bytes by which a second ask is longer than the first at most: 500 characters of a validator's message, and ours."""

_STEP = Decimal(1).scaleb(-PLACES)

Amount = Annotated[Decimal, Field(ge=0, le=MILLION, decimal_places=9)]
"""Money for a million tokens or for one search: a token of one dollar is a typing mistake."""


class TokenPrice(BaseModel):
    """`price.tokens`: money per million tokens of each kind, and for one search, as read on the day `as_of`.

    The currency is the one of `price`; it may be written here too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Amount
    cached_input: Amount | None = Field(default=None, description="read from the vendor's cache; default: as `input`")
    cache_write: Amount | None = Field(default=None, description="written to its cache; default: as `input`")
    output: Amount
    search: Amount = Field(default=Decimal(0), description="one web search")
    search_input: int = Field(
        default=20_000, ge=0, le=2_000_000, description="input tokens that the results of one search add at most"
    )
    batch: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=1, description="share of the price of tokens that a batch costs"
    )
    as_of: date = Field(description="the day on which the vendor's page said so")

    @model_validator(mode="before")
    @classmethod
    def _taught(cls, value: object) -> object:
        """What is missing is said with what belongs there."""
        if not isinstance(value, Mapping):
            raise ValueError("write {input: 2.50, output: 10, as_of: 2026-11-28}: money per million tokens, and a day")
        missing = [f"`{name}` ({what})" for name, what in _NEEDED.items() if value.get(name) is None]
        if missing:
            raise ValueError(f"{' and '.join(missing)} missing: take it from the vendor's page of prices")
        if isinstance(value["as_of"], int | float):
            raise ValueError("`as_of` has to be a day like 2026-11-28")
        return value

    @model_validator(mode="after")
    def _plausible(self) -> TokenPrice:
        if self.cached_input is not None and self.cached_input > self.input:
            raise ValueError(
                f"`cached_input` ({self.cached_input}) is above `input` ({self.input}): what is read from a cache is "
                "never dearer; the two may have changed places"
            )
        return self

    def in_batch(self) -> TokenPrice:
        """The prices of what goes through the vendor's batch API; searches cost what they cost."""
        kinds = ("input", "cached_input", "cache_write", "output")
        prices = {kind: getattr(self, kind) for kind in kinds}
        cheaper = {kind: None if price is None else price * self.batch for kind, price in prices.items()}
        return self.model_copy(update={**cheaper, "batch": Decimal(1)})

    def bound(self, request_bytes: int, max_output_tokens: int, searches: int = 0, asks: int = 1) -> Decimal:
        """The most that a call can cost, rounded up to what the ledger keeps; see the module's docstring.

        Args:
            request_bytes: Of the request's body, as it leaves.
            max_output_tokens: That the request allows.
            searches: That the request allows.
            asks: How often it may be asked, the first time included: a later ask says what was wrong besides.
        """
        dearest = max(self.input, self.cache_write or Decimal(0))
        once = request_bytes + ADDED + searches * self.search_input
        tokens = (asks * once + (asks - 1) * AGAIN) * dearest + asks * max_output_tokens * self.output
        return (tokens / MILLION + asks * searches * self.search).quantize(_STEP, ROUND_CEILING)

    def settled(self, usage: TokenUsage) -> Decimal:
        """What a call did cost, by what it used."""
        cached = self.input if self.cached_input is None else self.cached_input
        written = self.input if self.cache_write is None else self.cache_write
        fresh = usage.input - usage.cached_input - usage.cache_write
        tokens = (
            fresh * self.input + usage.cached_input * cached + usage.cache_write * written + usage.output * self.output
        )
        return (tokens / MILLION + usage.searches * self.search).quantize(_STEP, ROUND_HALF_EVEN)


_NEEDED = {"input": "money per million tokens", "output": "money per million tokens", "as_of": "the day, 2026-11-28"}


def with_currency_outside(price: object) -> object:
    """A `price` as written, with the currency of its `tokens` where a price has it.

    Raises:
        ValueError: The two differ.
    """
    tokens: Any = price.get("tokens") if isinstance(price, Mapping) else None
    if not isinstance(price, Mapping) or not isinstance(tokens, Mapping) or "currency" not in tokens:
        return price
    currency = tokens["currency"]
    if price.get("currency", currency) != currency:
        raise ValueError(f"`tokens.currency` is {currency!r} and `currency` is {price['currency']!r}: one call has one")
    rest = {name: value for name, value in tokens.items() if name != "currency"}
    return {**price, "tokens": rest, "currency": currency}
