"""What a model call used, out of the `usage` of an answer: tokens by kind, searches, and money where that is said.

Every vendor counts in its own way; here it is one way. `input` are all tokens that went in: those read from a cache
and those written to one are among them. Numbers that cannot be true are no usage at all: the call is then booked at
what was reserved for it, which is too much rather than too little.

Sources: OpenAI's and Anthropic's Python clients (`CompletionUsage`, `ResponseUsage`, `anthropic.types.Message`),
OpenRouter's page "Usage Accounting", Perplexity's client (`ResponsesUsage`), LiteLLM's page on response headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.money import Money, units_of

MOST = 1_000_000_000
"""Tokens or searches above this in one call are a mistake: no model takes a hundredth of it."""

LITELLM_COST = "x-litellm-response-cost"
"""LiteLLM's proxy says the money in this header; for a model without a price it leaves it out."""

_DOLLARS = "USD"
_DEAREST = Decimal(10) ** 9
"""Money above this for one call is a mistake, and no column of ours holds much more."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What one call used.

    Attributes:
        input: All tokens that went in, those of the next two fields among them.
        cached_input: Of these, read from a cache; mostly cheaper.
        output: Tokens that came out, reasoning among them.
        searches: Web searches.
        cache_write: Of `input`, written to a cache; dearer at Anthropic.
    """

    input: int
    cached_input: int
    output: int
    searches: int = 0
    cache_write: int = 0


def openai_usage(usage: object, searches: int = 0) -> TokenUsage | None:
    """Of Chat Completions and of Responses, and of whoever speaks them; None where it is missing or cannot be true.

    What was read from a cache and written to it is counted in the input. `searches`: how many the answer lists; the
    usage itself says so at Perplexity alone.
    """
    details = _first(usage, "input_tokens_details", "prompt_tokens_details")
    cached = _first(details, "cached_tokens", "cache_read_input_tokens") or 0
    written = _first(details, "cache_write_tokens", "cache_creation_input_tokens") or 0
    input_ = _first(usage, "input_tokens", "prompt_tokens")
    output = _first(usage, "output_tokens", "completion_tokens")
    return _believed(input_, cached, output, searches or _invoked(usage), written)


def anthropic_usage(usage: object) -> TokenUsage | None:
    """Of Messages; None where it is missing or cannot be true. `input_tokens` leaves the cache out there: it is added.

    Without `cache_creation_input_tokens` nothing was written, without `cache_read_input_tokens` nothing was read.
    """
    fresh = _first(usage, "input_tokens")
    written = _first(usage, "cache_creation_input_tokens") or 0
    read = _first(usage, "cache_read_input_tokens") or 0
    searches = _first(usage, ("server_tool_use", "web_search_requests")) or 0
    counts = [_count(number) for number in (fresh, written, read)]
    if None in counts:
        return None
    whole = sum(count for count in counts if count is not None)
    return _believed(whole, read, _first(usage, "output_tokens"), searches, written)


def reported_cost(usage: object, headers: Mapping[str, str]) -> Money | None:
    """The money that an answer says it cost: OpenRouter's number, Perplexity's sum, LiteLLM's header; None: not said.

    With a key of one's own at OpenRouter (`is_byok`) `cost` is its fee alone, and the model's vendor bills the rest. An
    amount that cannot be true is none. Headers by lower-case name.
    """
    cost = _first(usage, "cost")
    if isinstance(cost, Mapping):
        return _money(cost.get("total_cost"), cost.get("currency"))
    if cost is None:
        return _money(headers.get(LITELLM_COST))
    said = _money(cost)
    if said is None or _first(usage, "is_byok") is not True:
        return said
    upstream = _money(_first(usage, ("cost_details", "upstream_inference_cost")))
    return None if upstream is None else Money(said.amount + upstream.amount, _DOLLARS)


def _invoked(usage: object) -> int:
    """Searches by Perplexity's `tool_calls_details`: `{web_search: {invocation: 2}}`."""
    tools = _first(usage, "tool_calls_details")
    if not isinstance(tools, Mapping):
        return 0
    counts = [_count(_first(told, "invocation")) for name, told in tools.items() if "search" in str(name)]
    return sum(count for count in counts if count is not None)


def _believed(input_: Any, cached: Any, output: Any, searches: Any, written: Any = 0) -> TokenUsage | None:
    """The usage, unless one of its numbers is none, or more came from a cache than went in."""
    counts = [_count(number) for number in (input_, cached, output, searches, written)]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts) or known[1] + known[4] > known[0]:
        return None
    return TokenUsage(*known)


def _count(number: object) -> int | None:
    """A whole number of things; JSON's `12.0` is one, `12.5`, `-1` and `true` are none."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if 0 <= number <= MOST else None


def _first(usage: object, *paths: str | tuple[str, ...]) -> Any:
    """The first of these members that is there and is not null."""
    for path in paths:
        found: Any = usage
        for name in (path,) if isinstance(path, str) else path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is not None:
            return found
    return None


def _money(amount: object, currency: object = None) -> Money | None:
    units = units_of(amount)
    if units is None or units > _DEAREST:
        return None
    return Money(units, currency.upper() if isinstance(currency, str) and currency else _DOLLARS)
