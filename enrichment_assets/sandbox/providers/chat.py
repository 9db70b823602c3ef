"""OpenAI and whoever speaks like it: chat completions and responses, in the JSON schema that was asked for.

Facts from platform.openai.com/docs/api-reference (chat, responses, batches, errors) and the official client, which runs
against this in tests/sandbox. What the model writes is made in `sandbox/language`; how other servers differ is data
(`openai_servers.py`). Tokens are billed: four characters are one. A model whose name begins with `unknown` does not
exist.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import orjson

from enrichment_assets.sandbox.exchange import Call, Question, Refusal, Reply, found_reply, json_reply
from enrichment_assets.sandbox.language.writing import Asked, Stop, Written, manner, write
from enrichment_assets.sandbox.limits import Room
from enrichment_assets.sandbox.providers import completions, responses
from enrichment_assets.sandbox.providers.base import SimulatedProvider, bearer, no_such_path, whole_seconds
from enrichment_assets.sandbox.providers.openai_batches import FilesAndBatches
from enrichment_assets.sandbox.providers.openai_servers import BY_PATH, OPENAI, Server, ServerError
from enrichment_assets.sandbox.seeded_random import SeededRandom, hex_id
from enrichment_assets.sandbox.strict_schemas import complaint

MOST_CHOICES = 128
KEPT_RESPONSES = 10_000
EVENTS = "text/event-stream; charset=utf-8"


class OpenAICompatible(SimulatedProvider):
    """A server of chat completions and responses."""

    price = Decimal("0.000002")
    server: ClassVar[Server] = OPENAI

    has_batches: ClassVar[bool] = False

    def __init__(self) -> None:
        self._batches = FilesAndBatches()
        self._responses: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    def question(self, call: Call) -> Question:
        """One completion, one response, or a response that was asked for before."""
        path = self.operation(call)
        if call.method == "POST" and path == "/chat/completions":
            return self.completion(call)
        if call.method == "POST" and path == "/responses":
            return self._response(call)
        if call.method == "GET" and path.startswith("/responses/"):
            number = path.rpartition("/")[2]
            return Question("responses/get", number, lambda: self.kept_response(call, number))
        if path.startswith(("/files", "/batches")) and self.has_batches:
            return self._batches.question(call, path, self.question)
        raise no_such_path(call)

    def server_of(self, call: Call) -> Server:
        """Whose manners a call gets: its path can say that it is another's."""
        if self.server is not OPENAI:
            return self.server
        return next((one for one in BY_PATH if call.path.startswith(f"{one.paths[0]}/")), OPENAI)

    def operation(self, call: Call) -> str:
        """The path below the address that a client is given."""
        path = call.path.rstrip("/")
        begins = next((one for one in self.server_of(call).paths if path.startswith(f"{one}/")), "")
        return path.removeprefix(begins)

    def key(self, call: Call) -> str:
        """A bearer token, or the server's own header."""
        header = self.server_of(call).key_header
        return (call.headers.get(header, "") if header else "") or bearer(call)

    def unauthorised(self, call: Call) -> Reply:
        """401 in the server's shape."""
        return self.fail(
            call, ServerError(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.")
        )

    def rate_limited(self, call: Call, operation: str, retry_after: float) -> Reply:
        """429: come back later."""
        message = "Rate limit reached for requests. Please try again."
        reply = self.fail(call, ServerError(429, "requests", "rate_limit_exceeded", message))
        reply.headers["retry-after"] = whole_seconds(retry_after)
        return reply

    def exhausted(self, call: Call) -> Reply:
        """For good: the quota is spent."""
        return self.fail(call, self.server_of(call).spent)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx in the server's shape."""
        message = "The server had an error while processing your request."
        return self.fail(call, ServerError(status, "server_error", None, message))

    def limit_headers(self, room: Room, call: Call, under_way: int) -> dict[str, str]:
        """The request's id and what is left of the minute; the reset is a duration."""
        left = room.remaining.get(60.0, 10_000)
        return {
            "x-request-id": f"req_{hex_id(call.path, call.body)}",
            "x-ratelimit-limit-requests": "10000",
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": "6ms" if left else "1m0s",
        }

    def fail(self, call: Call, error: ServerError) -> Reply:
        """An error in the words of the server that is called."""
        return self.server_of(call).error(error)

    def refused(self, call: Call, code: str | None, message: str, param: str | None) -> Refusal:
        """A 400 for a request that the service would not take."""
        return Refusal(self.fail(call, ServerError(400, "invalid_request_error", code, message, param)))

    def missing(self, call: Call, name: str) -> Refusal:
        """A 400 for a parameter that is not there."""
        return self.refused(call, "missing_required_parameter", f"Missing required parameter: '{name}'.", name)

    def completion(self, call: Call) -> Question:
        """What a call for a completion asks."""
        body = call.json()
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            raise self.missing(call, "messages")
        form = body.get("response_format") or {}
        wanted = form.get("json_schema") if isinstance(form, dict) else None
        if not isinstance(form, dict) or (form.get("type") == "json_schema" and not isinstance(wanted, dict)):
            raise self.missing(call, "response_format.json_schema")
        self._check(call, body, wanted, param_of_model=None)
        choices = body.get("n", 1)
        choices = 1 if choices is None else choices
        if not isinstance(choices, int) or not 1 <= choices <= MOST_CHOICES:
            message = f"Invalid 'n': expected an integer between 1 and {MOST_CHOICES}."
            raise self.refused(call, "integer_out_of_range", message, "n")
        asked = completions.asked_of(body)
        identity = hex_id(orjson.dumps([body.get("model"), messages, body.get("response_format")]).decode())

        def work() -> Reply:
            answers = self.written(call, asked, identity, choices)
            if answers[0].stop is Stop.REFUSED and (declined := self.server_of(call).declined):
                return self.fail(call, declined)
            rng = call.population.rng("chat", identity)
            done = completions.completion(body, identity, answers, rng, cached(call, asked))
            done.update(self.sources(call, rng))
            return self._answered(call, body, done, identity)

        return Question("chat/completions", identity, work, about=asked.subject)

    def written(self, call: Call, asked: Asked, identity: str, count: int = 1) -> Sequence[Written]:
        """What the model writes; without the schema where the server leaves it out."""
        drops = self.server_of(call).drops_schema
        if drops and drops in {manner(asked.model), asked.model.rpartition("-")[2], asked.model.rpartition(":")[2]}:
            asked = replace(asked, schema=None, wants_json=False)
        return [write(call, asked, identity, number) for number in range(count)]

    def _answered(self, call: Call, asked: Mapping[str, Any], body: dict[str, Any], identity: str) -> Reply:
        server, used = self.server_of(call), Decimal(body["usage"]["total_tokens"])
        if server.tells_cost:
            body["usage"]["cost"] = float(used * self.price)
        if body["choices"][0]["finish_reason"] == "error":
            if not server.fails_in_200:
                return self.server_error(call, 500)
            body["error"] = {"code": 502, "message": "Provider returned error", "metadata": {}}
            return found_reply(body, identity, used)
        if not asked.get("stream"):
            return found_reply(body, identity, used)
        with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        reply = found_reply(None, identity, used)
        reply.body, reply.content_type = completions.streamed(body, with_usage=with_usage), EVENTS
        return reply

    def _response(self, call: Call) -> Question:
        body = call.json()
        if not body.get("input"):
            raise self.missing(call, "input")
        if body.get("stream"):
            message = "The sandbox does not stream responses; chat completions it does."
            raise self.refused(call, "unsupported_value", message, None)
        if body.get("background") and body.get("store") is False:
            raise self.refused(call, None, "background requires store to be true.", "store")
        self._check(call, body, (body.get("text") or {}).get("format"), param_of_model="model")
        asked = responses.asked_of(body)
        identity = hex_id(orjson.dumps([body.get("model"), body["input"], body.get("text")]).decode())

        def work() -> Reply:
            answer = self.written(call, asked, identity)[0]
            done = responses.response(body, identity, answer, cached(call, asked))
            return self.stored(call, body, done, identity, Decimal(done["usage"]["total_tokens"]))

        return Question("responses", identity, work, about=asked.subject)

    def stored(
        self, call: Call, asked: Mapping[str, Any], done: dict[str, Any], identity: str, units: Decimal
    ) -> Reply:
        """A response, kept unless it must not be; one in the background says that it is queued."""
        if asked.get("store", True):
            delay = call.callback_delay(identity) if asked.get("background") else 0.0
            self._responses[done["id"]] = (time.monotonic() + delay, done)
            if len(self._responses) > KEPT_RESPONSES:
                self._responses.popitem(last=False)
        shown = responses.unfinished(done, "queued") if asked.get("background") else done
        return found_reply(shown, identity, units)

    def kept_response(self, call: Call, number: str) -> Reply:
        """A response that was kept, or how far it is; unbilled."""
        due, body = self._responses.get(number, (0.0, None))
        if body is None:
            message = f"Response with id '{number}' not found."
            return self.fail(call, ServerError(404, "invalid_request_error", None, message))
        return json_reply(200, responses.unfinished(body, "in_progress") if time.monotonic() < due else body)

    def sources(self, call: Call, rng: SeededRandom) -> dict[str, Any]:
        """Where a service that searches has it from; members of the completion."""
        return {}

    def _check(self, call: Call, asked: Mapping[str, Any], wanted: Any, *, param_of_model: str | None) -> None:
        """Refuse a model that does not exist (404 for chat, 400 for responses) and a schema that is not strict."""
        model = str(asked.get("model") or "")
        if not model:
            raise self.missing(call, "model")
        if model.startswith("unknown"):
            message = f"The model `{model}` does not exist or you do not have access to it."
            status = 404 if param_of_model is None else 400
            error = ServerError(status, "invalid_request_error", "model_not_found", message, param_of_model)
            raise Refusal(self.fail(call, error))
        if isinstance(wanted, dict) and wanted.get("type", "json_schema") == "json_schema":
            reason = complaint(str(wanted.get("name") or ""), wanted.get("schema"), strict=bool(wanted.get("strict")))
            if reason:
                param = "response_format" if param_of_model is None else "text.format.schema"
                raise self.refused(call, None, reason, param)


class OpenAI(OpenAICompatible):
    """Everything below `/openai/v1/...`; below the paths of other servers, with their manners."""

    name = "openai"
    has_batches = True


def cached(call: Call, asked: Asked) -> int:
    """How many of a question's tokens the service says to have known already."""
    return int(asked.input_tokens * call.behaviour.cached_input)
