"""What models said, out of the two shapes that OpenAI made and many speak: chat completions, and responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from enrichment_assets.domain.charsets import charset_of
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.prompts.neutral import Completion, Source
from enrichment_assets.domain.prompts.usage import openai_usage, reported_cost
from enrichment_assets.domain.provider import Answer

LENGTH = "length"
CONTENT_FILTER = "content_filter"
"""Why an answer stops before its end."""

_CUTS = {"length": LENGTH, "max_tokens": LENGTH, "max_output_tokens": LENGTH, "content_filter": CONTENT_FILTER}


def body_of(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that an answer is.

    Raises:
        ContractError: It is none.
    """
    try:
        body = parse_json(answer.body, None, charset_of(answer.headers.get("content-type", "")))
    except ValueError as error:
        raise ContractError(f"the body is not JSON ({error})", code="answer.completion_not_json") from None
    if not isinstance(body, Mapping):
        raise ContractError("the body is no JSON object", code="answer.completion_not_object")
    return body


def openai_completion(answer: Answer) -> Completion:
    """A chat completion or a response, whichever the body is.

    Raises:
        ContractError: It is neither.
    """
    body = body_of(answer)
    if "choices" in body:
        return _chat(body, answer.headers)
    if isinstance(body.get("output"), list):
        return _response(body, answer.headers)
    raise ContractError("the body is neither a chat completion nor a response", code="answer.no_completion")


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; nothing of what is none."""
    for member in value if isinstance(value, list) else ():
        if isinstance(member, Mapping):
            yield member


def object_in(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def source_of(found: Mapping[str, Any]) -> Source | None:
    """A search result or citation that names its page; None: it names none."""
    url = found.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return None
    date = found.get("date") or found.get("page_age") or found.get("last_updated")
    return Source(url, str(found.get("title") or ""), str(date or ""))


def distinct(sources: Iterator[Source | None]) -> tuple[Source, ...]:
    """Each page once, in the order in which it was named first."""
    found: dict[str, Source] = {}
    for source in sources:
        if source is not None:
            found.setdefault(source.url, source)
    return tuple(found.values())


def _chat(body: Mapping[str, Any], headers: Mapping[str, str]) -> Completion:
    choice = next(objects(body.get("choices")), None)
    if choice is None:
        raise ContractError("the completion has no choice", code="answer.no_choice")
    message = object_in(choice.get("message"))
    reason = choice.get("finish_reason")
    usage = body.get("usage")
    return Completion(
        text=_text(message.get("content")),
        refused=bool(message.get("refusal")),
        cut=_CUTS.get(reason) if isinstance(reason, str) else None,
        usage=openai_usage(usage, _searches_of_chat(usage)),
        cost=reported_cost(usage, headers),
        sources=distinct(_sources_of_chat(body, message)),
        model=_name(body.get("model")),
    )


def _response(body: Mapping[str, Any], headers: Mapping[str, str]) -> Completion:
    texts, refused, searches = [], False, 0
    for item in objects(body["output"]):
        searches += item.get("type") == "web_search_call"
        for part in objects(item.get("content")) if item.get("type") == "message" else ():
            refused = refused or part.get("type") == "refusal"
            if part.get("type") == "output_text" and isinstance(part.get("text"), str):
                texts.append(part["text"])
    is_cut = body.get("status") == "incomplete"
    reason = object_in(body.get("incomplete_details")).get("reason")
    usage = body.get("usage")
    return Completion(
        text="".join(texts) or None,
        refused=refused,
        cut=_CUTS.get(str(reason), str(reason or "incomplete")) if is_cut else None,
        usage=openai_usage(usage, searches),
        cost=reported_cost(usage, headers),
        sources=distinct(_sources_of_response(body)),
        model=_name(body.get("model")),
    )


def _text(content: Any) -> str | None:
    """A message's text: a string, or (some servers) a list of parts."""
    if isinstance(content, str):
        return content or None
    parts = [part["text"] for part in objects(content) if isinstance(part.get("text"), str)]
    return "".join(parts) or None


def _searches_of_chat(usage: Any) -> int:
    """Perplexity counts the searches of a chat in its usage."""
    count = object_in(usage).get("num_search_queries")
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _sources_of_chat(body: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[Source | None]:
    """Perplexity's search results, OpenRouter's and OpenAI's annotations."""
    yield from map(source_of, objects(body.get("search_results")))
    for note in objects(message.get("annotations")):
        yield source_of(object_in(note.get("url_citation")) or note)


def _sources_of_response(body: Mapping[str, Any]) -> Iterator[Source | None]:
    for item in objects(body["output"]):
        if item.get("type") == "search_results":
            yield from map(source_of, objects(item.get("results")))
        for part in objects(item.get("content")):
            yield from map(source_of, objects(part.get("annotations")))
        yield from map(source_of, objects(object_in(item.get("action")).get("sources")))


def _name(model: Any) -> str | None:
    return model[:200] if isinstance(model, str) and model else None
