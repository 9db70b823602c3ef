"""OpenAI's Responses: the newer form of the same answers.

platform.openai.com/docs/api-reference/responses: the schema stands flat in `text.format`, the text in
`output[].content[]`, a refusal is a content part of its own, and an answer that was cut is `status: incomplete`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.sandbox.providers.completions import CREATED, REFUSAL, content_for, cut, tokens
from enrichment_assets.sandbox.seeded_random import SeededRandom


def response(asked: Mapping[str, Any], identity: str, rng: SeededRandom, *, declines: bool) -> dict[str, Any]:
    """The `response` object."""
    wanted = (asked.get("text") or {}).get("format") or {"type": "text"}
    text, was_cut = cut(
        content_for(wanted.get("schema"), wanted["type"] == "json_object", rng), asked.get("max_output_tokens")
    )
    part: dict[str, Any] = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if declines:
        part, was_cut = {"type": "refusal", "refusal": REFUSAL}, False
    status = "incomplete" if was_cut else "completed"
    sent, made = tokens(orjson.dumps(asked["input"])), tokens((part.get("text") or REFUSAL).encode())
    message = {"id": f"msg_{identity}", "type": "message", "role": "assistant", "status": status, "content": [part]}
    return {
        "id": f"resp_{identity}",
        "object": "response",
        "created_at": CREATED,
        "completed_at": None if was_cut else CREATED,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if was_cut else None,
        "instructions": asked.get("instructions"),
        "metadata": {},
        "model": str(asked["model"]),
        "output": [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": asked.get("store", True),
        "temperature": 1.0,
        "text": {"format": wanted},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": sent,
            "output_tokens": made,
            "total_tokens": sent + made,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
