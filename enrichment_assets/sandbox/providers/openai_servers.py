"""How those who speak like OpenAI differ from it, as data: errors, keys, money, and what they do with a schema.

Sources: OpenRouter: its client (openrouter 1.3.84) and docs/errors; Azure: learn.microsoft.com (openai, content
filter); Gemini: ai.google.dev/gemini-api/docs/openai, and the list around its errors in page-assist#406; vLLM: its
`ErrorResponse`; Ollama: docs/openai, and ollama#12362 for the cloud models that leave the schema out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from enrichment_assets.sandbox.exchange import Reply, json_reply


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error before it has a shape."""

    status: int
    kind: str
    code: str | None
    message: str
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One server's differences.

    Attributes:
        name: What it is called here.
        paths: How its paths begin, before `/chat/completions`.
        shape: An error's body.
        spent: Its answer when there is no money left.
        declined: Its answer to a prompt that it will not process; None: HTTP 200 and the model's own refusal.
        key_header: Where its key is; None: a bearer token.
        tells_cost: Whether `usage.cost` has what the answer cost, in US dollars.
        fails_in_200: Whether an answer that breaks off is HTTP 200 with `error`.
        drops_schema: How the names of models end or begin whose schema is left out silently.
    """

    name: str
    paths: tuple[str, ...]
    shape: Callable[[ServerError], Any]
    spent: ServerError
    declined: ServerError | None = None
    key_header: str | None = None
    tells_cost: bool = False
    fails_in_200: bool = False
    drops_schema: str | None = None

    def error(self, error: ServerError) -> Reply:
        """An error as this server words it."""
        return json_reply(error.status, self.shape(error), outcome="refused")


def _openai(error: ServerError) -> Any:
    return {"error": {"message": error.message, "type": error.kind, "param": error.param, "code": error.code}}


def _openrouter(error: ServerError) -> Any:
    return {"error": {"code": error.status, "message": error.message, "metadata": {}}, "user_id": "user_sandbox"}


def _azure(error: ServerError) -> Any:
    body: dict[str, Any] = {**_openai(error)["error"], "status": error.status}
    if error.code == "content_filter":
        body["innererror"] = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}
    return {"error": body}


def _gemini(error: ServerError) -> Any:
    status = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    body = {"code": error.status, "message": error.message, "status": status.get(error.status, "INTERNAL")}
    return [{"error": body}]


def _vllm(error: ServerError) -> Any:
    return {"error": {"message": error.message, "type": error.kind, "param": error.param, "code": error.status}}


def _old_vllm(error: ServerError) -> Any:
    return {"object": "error", "message": error.message, "type": error.kind, "param": error.param, "code": error.status}


def _ollama(error: ServerError) -> Any:
    return {"error": {"message": error.message, "type": "api_error", "param": None, "code": None}}


SPENT = ServerError(
    429,
    "insufficient_quota",
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details.",
)

OPENAI = Server("openai", ("/v1", ""), _openai, SPENT)
OPENROUTER = Server(
    "openrouter",
    ("/api/v1",),
    _openrouter,
    ServerError(402, "", None, "Insufficient credits. Add more using https://openrouter.ai/settings/credits"),
    declined=ServerError(403, "", None, "Your chosen model requires moderation and your input was flagged."),
    tells_cost=True,
    fails_in_200=True,
    drops_schema="loose",
)
AZURE = Server(
    "azure",
    ("/openai/v1", "/openai"),
    _azure,
    ServerError(429, "insufficient_quota", "insufficient_quota", "The quota of this resource is exceeded."),
    declined=ServerError(400, "", "content_filter", "The response was filtered by the content management policy."),
    key_header="api-key",
)
GEMINI = Server(
    "gemini",
    ("/v1beta/openai",),
    _gemini,
    ServerError(429, "", None, "You exceeded your current quota, please check your plan and billing details."),
)
VLLM = Server("vllm", ("/v1",), _vllm, SPENT)
OLD_VLLM = Server("vllm-0.9", ("/v1",), _old_vllm, SPENT)
OLLAMA = Server("ollama", ("/v1",), _ollama, SPENT, drops_schema="cloud")

BY_PATH = (AZURE, OPENROUTER, GEMINI)
"""Servers that are told by their paths alone, whatever they are mounted at."""
