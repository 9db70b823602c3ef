"""Chat completions: messages, refusals, tool calls, length cuts, usage, and the same as a stream of chunks.

platform.openai.com/docs/api-reference/chat: a refusal stands in `message.refusal` and leaves `content` null; an answer
that hits the limit ends in the middle with `finish_reason: length`; a tool call leaves `content` null too.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import orjson

from enrichment_assets.sandbox.language.writing import Asked, Stop, Written, tokens
from enrichment_assets.sandbox.schemas import value_for
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id

CREATED = 1_780_000_000
_CHUNK = 40
_REASONS = {Stop.DONE: "stop", Stop.REFUSED: "stop", Stop.LENGTH: "length", Stop.FAILED: "error"}


def asked_of(body: Mapping[str, Any]) -> Asked:
    """What a request for a completion asks."""
    messages = [message for message in body["messages"] if isinstance(message, Mapping)]
    form = body.get("response_format") or {}
    return Asked(
        model=str(body.get("model") or ""),
        prompt=spoken(messages, {"user", "tool", "function"}),
        system=spoken(messages, {"system", "developer", "assistant"}),
        schema=(form.get("json_schema") or {}).get("schema") if form.get("type") == "json_schema" else None,
        wants_json=form.get("type") == "json_object",
        most_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
    )


def spoken(messages: Iterable[Mapping[str, Any]], roles: Container[str]) -> str:
    """What these roles say, one message below the other; parts of a message that are no text are left out."""
    return "\n\n".join(text_of(message.get("content")) for message in messages if message.get("role") in roles)


def text_of(content: Any) -> str:
    """A content that is a text, or a list of parts with texts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))


def completion(
    asked: Mapping[str, Any], identity: str, written: Sequence[Written], rng: SeededRandom, cached: int
) -> dict[str, Any]:
    """The `chat.completion` object, a choice for each text; `cached` of its input tokens were known already."""
    choices = [_choice(asked, number, one, rng) for number, one in enumerate(written)]
    sent = asked_of(asked).input_tokens
    made = sum(tokens(_text(choice["message"])) for choice in choices)
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": CREATED,
        "model": str(asked["model"]),
        "choices": choices,
        "usage": {
            "prompt_tokens": sent,
            "completion_tokens": made,
            "total_tokens": sent + made,
            "prompt_tokens_details": {"cached_tokens": min(cached, sent), "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": f"fp_{identity[:10]}",
    }


def streamed(body: Mapping[str, Any], *, with_usage: bool) -> bytes:
    """The completion as server-sent events: `chat.completion.chunk` objects, the usage if asked for, `[DONE]`."""
    head = {name: body[name] for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    head = {"object": "chat.completion.chunk", **head, **({"usage": None} if with_usage else {})}
    chunks = [{**head, "choices": [one]} for choice in body["choices"] for one in _pieces(choice)]
    if with_usage:
        chunks.append({**head, "choices": [], "usage": body["usage"]})
    events = [b"data: " + orjson.dumps(chunk) for chunk in chunks]
    return b"\n\n".join([*events, b"data: [DONE]"]) + b"\n\n"


def _choice(asked: Mapping[str, Any], number: int, written: Written, rng: SeededRandom) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    reason = _REASONS[written.stop]
    tool = _tool_to_call(asked)
    if written.stop is Stop.REFUSED:
        message["refusal"] = written.text
    elif tool is not None:
        message["tool_calls"], reason = [_tool_call(tool, rng)], "tool_calls"
    else:
        message["content"] = written.text
    return {"index": number, "message": message, "logprobs": None, "finish_reason": reason}


def _tool_to_call(asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The tool that the model calls: the one it must, else the first, unless a tool has answered or none may be."""
    tools = [tool["function"] for tool in asked.get("tools") or () if tool.get("type") == "function"]
    choice = asked.get("tool_choice", "auto")
    if not tools or choice == "none":
        return None
    if isinstance(choice, Mapping):
        name = (choice.get("function") or {}).get("name")
        return next((tool for tool in tools if tool.get("name") == name), None)
    has_answer = any(message.get("role") == "tool" for message in asked["messages"] if isinstance(message, Mapping))
    return None if has_answer and choice != "required" else tools[0]


def _tool_call(tool: Mapping[str, Any], rng: SeededRandom) -> dict[str, Any]:
    arguments = value_for(tool.get("parameters") or {"type": "object"}, rng)
    function = {"name": tool.get("name"), "arguments": orjson.dumps(arguments).decode()}
    return {"id": f"call_{hex_id(rng.roll())}", "type": "function", "function": function}


def _text(message: Mapping[str, Any]) -> str:
    calls = message.get("tool_calls")
    return orjson.dumps(calls).decode() if calls else str(message["content"] or message["refusal"])


def _pieces(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One choice as the chunks of a stream: who speaks, what piece by piece, why it ends."""
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    for name in ("content", "refusal"):
        text = message[name] or ""
        deltas += [{name: text[start : start + _CHUNK]} for start in range(0, len(text), _CHUNK)]
    for place, call in enumerate(message.get("tool_calls") or ()):
        arguments = call["function"]["arguments"]
        named = {"name": call["function"]["name"], "arguments": ""}
        deltas.append({"tool_calls": [{"index": place, "id": call["id"], "type": "function", "function": named}]})
        for start in range(0, len(arguments), _CHUNK):
            piece = {"arguments": arguments[start : start + _CHUNK]}
            deltas.append({"tool_calls": [{"index": place, "function": piece}]})
    base = {"index": choice["index"], "logprobs": None}
    chunks = [{**base, "delta": delta, "finish_reason": None} for delta in deltas]
    return [*chunks, {**base, "delta": {}, "finish_reason": choice["finish_reason"]}]
