"""Each vendor's `usage` becomes tokens by kind; numbers that cannot be true become none."""

from decimal import Decimal

import pytest

from enrichment_assets.domain.money import Money
from enrichment_assets.domain.prompts.usage import (
    LITELLM_COST,
    MOST,
    TokenUsage,
    anthropic_usage,
    openai_usage,
    reported_cost,
)


def test_openai_counts_what_was_cached_within_the_input() -> None:
    # openai 3.57: CompletionUsage and ResponseUsage, the same numbers under two sets of names.
    chat = {
        "prompt_tokens": 1117,
        "completion_tokens": 46,
        "total_tokens": 1163,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    responses = {
        "input_tokens": 1117,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 46,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 1163,
    }
    assert openai_usage(chat) == openai_usage(responses) == TokenUsage(input=1117, cached_input=1024, output=46)
    assert openai_usage(chat, searches=2) == TokenUsage(1117, 1024, 46, searches=2)


def test_openai_compatible_servers_leave_details_out_or_null() -> None:
    # vLLM and Ollama send null or no details; a gateway in JavaScript may send whole numbers as 12.0.
    assert openai_usage({"prompt_tokens": 12, "completion_tokens": 3, "prompt_tokens_details": None}) == TokenUsage(
        12, 0, 3
    )
    assert openai_usage({"prompt_tokens": 12.0, "completion_tokens": 3}) == TokenUsage(12, 0, 3)


def test_what_is_written_to_a_cache_is_told_in_two_ways_and_counted_in_the_input() -> None:
    # openai 3.57, CompletionUsage; perplexityai 0.46, ResponsesUsage.
    openai = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cache_write_tokens": 60}}
    assert openai_usage(openai) == TokenUsage(100, 0, 5, cache_write=60)
    details = {"cache_creation_input_tokens": 20, "cache_read_input_tokens": 30}
    tools = {"web_search": {"invocation": 2}, "fetch_url": {"invocation": 7}, "people_search": {"invocation": None}}
    perplexity = {
        "input_tokens": 100, "output_tokens": 5, "input_tokens_details": details, "tool_calls_details": tools
    }  # fmt: skip
    assert openai_usage(perplexity) == TokenUsage(100, 30, 5, searches=2, cache_write=20)


def test_anthropic_counts_the_cache_outside_the_input() -> None:
    # anthropic 2.14, types.Usage: "total input tokens = input + cache_creation + cache_read".
    usage = {
        "input_tokens": 50,
        "cache_creation_input_tokens": 248,
        "cache_read_input_tokens": 1800,
        "output_tokens": 503,
        "server_tool_use": {"web_search_requests": 3},
    }
    assert anthropic_usage(usage) == TokenUsage(input=2098, cached_input=1800, output=503, searches=3, cache_write=248)
    without = {"input_tokens": 50, "output_tokens": 5, "cache_creation_input_tokens": None, "server_tool_use": None}
    assert anthropic_usage(without) == TokenUsage(50, 0, 5)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        "none",
        [],
        {},
        {"prompt_tokens": 10},
        {"prompt_tokens": None, "completion_tokens": 1},
        {"total_tokens": 11},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": 10, "completion_tokens": 1.5},
        {"prompt_tokens": float("nan"), "completion_tokens": 1},
        {"prompt_tokens": float("inf"), "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": "10", "completion_tokens": 1},
        {"prompt_tokens": MOST + 1, "completion_tokens": 1},
        {"prompt_tokens": 10, "completion_tokens": 10**30},
        {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 11}},
        {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -1}},
    ],
)
def test_usage_that_cannot_be_true_is_none(usage: object) -> None:
    assert openai_usage(usage) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_tokens": None},
        {"cache_read_input_tokens": -5},
        {"cache_creation_input_tokens": 2.5},
        {"output_tokens": None},
        {"server_tool_use": {"web_search_requests": -1}},
    ],
)
def test_anthropic_usage_with_one_wrong_number_is_none(wrong: dict[str, object]) -> None:
    assert anthropic_usage({"input_tokens": 5, "output_tokens": 5} | wrong) is None


@pytest.mark.parametrize(
    ("usage", "headers", "expected"),
    [
        # OpenRouter, "Usage Accounting": `cost` in credits, which are dollars.
        ({"cost": 0.00014735}, {}, "0.00014735"),
        ({"cost": 0}, {}, "0"),
        # A key of one's own: the fee, and what the model's vendor bills.
        ({"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}, {}, "19.95"),
        ({"cost": 0.95, "is_byok": False, "cost_details": {"upstream_inference_cost": 19}}, {}, "0.95"),
        # Perplexity, agent API: names of the parts have changed, the sum has not.
        ({"cost": {"input_cost": 0.1, "tool_calls_cost": 0.005, "total_cost": 0.125}}, {}, "0.125"),
        # LiteLLM's proxy: str(float).
        ({"prompt_tokens": 3}, {LITELLM_COST: "1.5e-05"}, "0.000015"),
        (None, {LITELLM_COST: "0.0"}, "0"),
        # A body's word is for this call; the header may be a gateway's in between.
        ({"cost": 0.2}, {LITELLM_COST: "0.1"}, "0.2"),
    ],
)
def test_reported_money_is_read_where_the_vendor_says_it(usage: object, headers: dict[str, str], expected: str) -> None:
    assert reported_cost(usage, headers) == Money(Decimal(expected), "USD")


def test_reported_money_keeps_its_currency() -> None:
    assert reported_cost({"cost": {"total_cost": "0.5", "currency": "eur"}}, {}) == Money(Decimal("0.5"), "EUR")


@pytest.mark.parametrize(
    ("usage", "headers"),
    [
        (None, {}),
        ({"cost": None}, {}),
        ({"cost": -1}, {}),
        ({"cost": True}, {}),
        ({"cost": float("nan")}, {}),
        ({"cost": 1e12}, {}),
        ({"cost": {"input_tokens_cost": 1}}, {}),
        ({"cost": {"total_cost": "much"}}, {}),
        ({"cost": 0.95, "is_byok": True}, {}),  # the fee alone is not what the call costs
        ({}, {LITELLM_COST: "None"}),
        ({}, {LITELLM_COST: "-0.5"}),
        ({}, {LITELLM_COST: ""}),
    ],
)
def test_money_that_is_not_said_or_cannot_be_true_is_none(usage: object, headers: dict[str, str]) -> None:
    assert reported_cost(usage, headers) is None
