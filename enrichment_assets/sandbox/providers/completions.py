"""Chat completions: messages, refusals, tool calls, length cuts, usage, and the same as a stream of chunks.

platform.openai.com/docs/api-reference/chat: a refusal stands in `message.refusal` and leaves `content` null; an answer
that hits the limit ends in the middle with `finish_reason: length`; a tool call leaves `content` null too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from enrichment_assets.sandbox.companies import invented_employer
from enrichment_assets.sandbox.schemas import value_for
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id

CREATED = 1_780_000_000
CHARACTERS_PER_TOKEN = 4
REFUSAL = "I'm sorry, but I can't assist with that request."
_CHUNK = 40


def completion(asked: Mapping[str, Any], identity: str, rng: list[SeededRandom], *, declines: bool) -> dict[str, Any]:
    """The `chat.completion` object; one choice for each of the dice."""
    most = asked.get("max_completion_tokens") or asked.get("max_tokens")
    choices = [_choice(asked, number, one, most, declines) for number, one in enumerate(rng)]
    sent = tokens(orjson.dumps(asked["messages"]))
    made = sum(tokens(_written(choice["message"])) for choice in choices)
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
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
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


def content_for(schema: Any, wants_json: bool, rng: SeededRandom) -> str:
    """What the model writes: JSON of a schema, some JSON, or a sentence."""
    if isinstance(schema, Mapping):
        return orjson.dumps(value_for(schema, rng)).decode()
    if wants_json:
        return orjson.dumps({"answer": invented_employer(rng), "confidence": rng.between(10, 99)}).decode()
    return f"{invented_employer(rng)} is a company worth writing to: it hires, and it grew last year."


def cut(text: str, most: Any) -> tuple[str, bool]:
    """The text as far as so many tokens reach, and whether it was cut."""
    if not isinstance(most, int) or tokens(text.encode()) <= most:
        return text, False
    return text[: most * CHARACTERS_PER_TOKEN], True


def tokens(text: bytes) -> int:
    """How many tokens a text counts as."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _choice(asked: Mapping[str, Any], number: int, rng: SeededRandom, most: Any, declines: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    reason = "stop"
    tool = _tool_to_call(asked)
    if declines:
        message["refusal"] = REFUSAL
    elif tool is not None:
        message["tool_calls"], reason = [_tool_call(tool, rng)], "tool_calls"
    else:
        wanted = asked.get("response_format") or {}
        schema = (wanted.get("json_schema") or {}).get("schema") if wanted.get("type") != "json_object" else None
        text = content_for(schema, wanted.get("type") == "json_object", rng)
        message["content"], was_cut = cut(text, most)
        reason = "length" if was_cut else "stop"
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


def _written(message: Mapping[str, Any]) -> bytes:
    calls = message.get("tool_calls")
    return orjson.dumps(calls) if calls else str(message["content"] or message["refusal"]).encode()


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
