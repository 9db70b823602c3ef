"""A price by kinds of tokens: its bound before a call, its settlement after, and what is refused."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.token_prices import ADDED, AGAIN, TokenPrice
from enrichment_assets.domain.prompts.usage import MOST, TokenUsage

DAY = "2026-11-28"
PRICE = TokenPrice(
    input="2.50", cached_input="0.25", cache_write="3.125", output="10", search="0.01", as_of=date(2026, 11, 28)
)


def priced(**given_: Any) -> TokenPrice:
    return TokenPrice.model_validate({"input": "1", "output": "4", "as_of": DAY} | given_)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (TokenUsage(0, 0, 0), "0"),
        (TokenUsage(1_000_000, 0, 0), "2.50"),
        (TokenUsage(1_000_000, 1_000_000, 0), "0.25"),
        (TokenUsage(1_000_000, 400_000, 1_000), "1.61"),  # 600,000 fresh, 400,000 cached, 1,000 out
        (TokenUsage(1_000_000, 0, 0, cache_write=1_000_000), "3.125"),
        (TokenUsage(0, 0, 0, searches=3), "0.03"),
        (TokenUsage(1, 0, 0), "0.000002"),  # 0.0000025, to the even neighbour
        (TokenUsage(MOST, 0, MOST, searches=MOST), "10012500"),
    ],
)
def test_a_call_costs_its_tokens_by_kind(usage: TokenUsage, expected: str) -> None:
    assert PRICE.settled(usage) == Decimal(expected)


def test_cached_tokens_cost_as_others_where_no_price_is_said() -> None:
    assert priced().settled(TokenUsage(1_000_000, 500_000, 0, cache_write=250_000)) == 1


def test_prices_of_zero_make_a_call_free() -> None:
    free = priced(input=0, output=0)
    assert free.bound(10_000, 1_000, searches=2) == 0
    assert free.settled(TokenUsage(5_000, 0, 1_000, searches=2)) == 0


def test_the_bound_counts_a_token_for_each_byte_and_all_the_output_that_is_allowed() -> None:
    assert priced().bound(8_000, 500) == Decimal(8_000 + ADDED + 4 * 500) / 1_000_000
    # The dearest kind of input: what is sent may be written to a cache.
    assert PRICE.bound(8_000, 0) == Decimal("3.125") * (8_000 + ADDED) / 1_000_000


def test_the_bound_is_rounded_up() -> None:
    assert priced(input="0.0001", output=0).bound(1, 0) == Decimal("0.000001")


def test_the_bound_has_room_for_searches_and_what_they_bring() -> None:
    with_searches = priced(search="0.01", search_input=5_000).bound(1_000, 100, searches=2)
    assert with_searches == Decimal("0.02") + Decimal(1_000 + ADDED + 10_000 + 400) / 1_000_000


def test_a_second_ask_repeats_the_first_and_says_what_was_wrong() -> None:
    once, twice = priced().bound(1_000, 100), priced().bound(1_000, 100, asks=2)
    assert twice == 2 * once + Decimal(AGAIN) / 1_000_000


@given(
    text=st.text(max_size=300),
    output=st.integers(0, 5_000),
    cached=st.floats(0, 1),
    price=st.decimals(0, 1_000, places=6),
)
def test_no_text_settles_above_the_bound_of_its_request(text: str, output: int, cached: float, price: Decimal) -> None:
    """Whatever a tokenizer makes of the text, it cannot make more tokens of it than bytes."""
    request = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    most = len(text.encode("utf-8", "surrogatepass"))
    tokens = TokenPrice.model_validate({"input": price, "cached_input": price / 10, "output": 7, "as_of": DAY})
    used = TokenUsage(most, int(most * cached), output)
    assert tokens.settled(used) <= tokens.bound(len(request), output)


def test_the_day_and_exact_decimals_come_back_from_json() -> None:
    price = Price.model_validate({"tokens": {"input": 0.15, "output": "0.60", "as_of": DAY, "currency": "EUR"}})
    assert price.currency == "EUR"
    assert price.tokens is not None
    assert (price.tokens.input, price.tokens.as_of) == (Decimal("0.15"), date(2026, 11, 28))
    assert Price.model_validate(json.loads(price.model_dump_json())) == price


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({"tokens": {"output": 1, "as_of": DAY}}, "`input` (money per million tokens) missing"),
        ({"tokens": {"input": 1}}, "`output` (money per million tokens) and `as_of` (the day, 2026-11-28) missing"),
        ({"tokens": {"input": 1, "output": 1, "as_of": None}}, "`as_of` (the day, 2026-11-28) missing"),
        ({"tokens": {"input": 1, "output": 1, "as_of": 20261128}}, "`as_of` has to be a day like 2026-11-28"),
        ({"tokens": {"input": 1, "output": 1, "as_of": "November"}}, "valid date"),
        ({"tokens": 2.5}, "money per million tokens, and a day"),
        ({"tokens": {"input": -1, "output": 1, "as_of": DAY}}, "greater than or equal to 0"),
        ({"tokens": {"input": "NaN", "output": 1, "as_of": DAY}}, "finite"),
        ({"tokens": {"input": "1e9", "output": 1, "as_of": DAY}}, "less than or equal to 1000000"),
        ({"tokens": {"input": "0.0000000001", "output": 1, "as_of": DAY}}, "9 decimal places"),
        ({"tokens": {"input": 1, "cached_input": 2, "output": 1, "as_of": DAY}}, "may have changed places"),
        ({"tokens": {"input": 1, "output": 1, "as_of": DAY, "cachd_input": 1}}, "Extra inputs"),
        ({"tokens": {"input": 1, "output": 1, "as_of": DAY, "search_input": -1}}, "greater than or equal to 0"),
        ({"tokens": {"input": 1, "output": 1, "as_of": DAY}, "estimate": 1}, "`estimate` and `tokens` are two prices"),
        ({"tokens": {"input": 1, "output": 1, "as_of": DAY}, "per_unit": 1}, "`per_unit` and `tokens` are two prices"),
        (
            {"tokens": {"input": 1, "output": 1, "as_of": DAY, "currency": "EUR"}, "currency": "USD"},
            "`tokens.currency` is 'EUR' and `currency` is 'USD'",
        ),
    ],
)
def test_a_price_that_is_none_is_refused_with_what_belongs_there(price: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Price.model_validate(price)
    assert said in str(refused.value)


def test_a_price_without_tokens_is_as_it_was() -> None:
    assert Price(estimate=Decimal("0.01")).tokens is None
    assert "tokens" not in Price(estimate=Decimal("0.01")).model_dump(exclude_defaults=True)
