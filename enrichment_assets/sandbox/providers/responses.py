"""OpenAI's Responses: the newer form of the same answers, kept for whoever asks for them again.

platform.openai.com/docs/api-reference/responses: the schema stands flat in `text.format`, the text in
`output[].content[]`, a refusal is a content part of its own, an answer that was cut is `status: incomplete`, and one
that failed is HTTP 200 with `status: failed` and `error`. With `background: true` the answer is `queued` at first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.sandbox.language.writing import Asked, Stop, Written
from enrichment_assets.sandbox.providers.completions import CREATED, spoken

_STATUSES = {Stop.DONE: "completed", Stop.REFUSED: "completed", Stop.LENGTH: "incomplete", Stop.FAILED: "failed"}


def asked_of(body: Mapping[str, Any]) -> Asked:
    """What a request for a response asks."""
    given = body["input"]
    items = [item for item in given if isinstance(item, Mapping)] if isinstance(given, list) else []
    form = (body.get("text") or {}).get("format") or {}
    system = "\n\n".join([str(body.get("instructions") or ""), spoken(items, {"system", "developer", "assistant"})])
    return Asked(
        model=str(body.get("model") or ""),
        prompt=given if isinstance(given, str) else spoken(items, {"user"}),
        system=system.strip(),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        wants_json=form.get("type") == "json_object",
        most_tokens=body.get("max_output_tokens"),
    )


def response(asked: Mapping[str, Any], identity: str, written: Written, cached: int) -> dict[str, Any]:
    """The `response` object; `cached` of its input tokens were known already."""
    status = _STATUSES[written.stop]
    part: dict[str, Any] = {"type": "output_text", "text": written.text, "annotations": [], "logprobs": []}
    if written.stop is Stop.REFUSED:
        part = {"type": "refusal", "refusal": written.text}
    failed = written.stop is Stop.FAILED
    sent, made = asked_of(asked).input_tokens, written.output_tokens
    message = {"id": f"msg_{identity}", "type": "message", "role": "assistant", "status": status, "content": [part]}
    return {
        "id": f"resp_{identity}",
        "object": "response",
        "created_at": CREATED,
        "completed_at": CREATED if status == "completed" else None,
        "background": bool(asked.get("background")),
        "status": status,
        "error": {"code": "server_error", "message": written.text} if failed else None,
        "incomplete_details": {"reason": "max_output_tokens"} if written.stop is Stop.LENGTH else None,
        "instructions": asked.get("instructions"),
        "metadata": asked.get("metadata") or {},
        "model": str(asked["model"]),
        "output": [] if failed else [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": asked.get("store", True),
        "temperature": 1.0,
        "text": {"format": (asked.get("text") or {}).get("format") or {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": sent,
            "output_tokens": made,
            "total_tokens": sent + made,
            "input_tokens_details": {"cached_tokens": min(cached, sent)},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def unfinished(body: Mapping[str, Any], status: str) -> dict[str, Any]:
    """A response that is being worked on: `queued` or `in_progress`."""
    return {**body, "status": status, "error": None, "output": [], "usage": None, "completed_at": None}
