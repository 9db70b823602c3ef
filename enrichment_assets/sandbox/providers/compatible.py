"""Servers that speak like OpenAI, each below a path of its own: what differs is in `openai_servers.py`."""

from __future__ import annotations

from enrichment_assets.sandbox.providers import openai_servers
from enrichment_assets.sandbox.providers.chat import OpenAICompatible


class OpenRouter(OpenAICompatible):
    """Below `/openrouter/api/v1`: `usage.cost`, errors inside HTTP 200, schemas that models leave out."""

    name = "openrouter"
    server = openai_servers.OPENROUTER


class Azure(OpenAICompatible):
    """Below `/azure/openai/v1`: the key in `api-key`, a content filter that is a 400."""

    name = "azure"
    server = openai_servers.AZURE


class Gemini(OpenAICompatible):
    """Below `/gemini/v1beta/openai`: errors in a list."""

    name = "gemini"
    server = openai_servers.GEMINI


class Vllm(OpenAICompatible):
    """Below `/vllm/v1`: `error.code` is a number; no key is needed."""

    name = "vllm"
    server = openai_servers.VLLM
    needs_key = False


class OldVllm(OpenAICompatible):
    """Below `/vllm-0.9/v1`: errors that are flat."""

    name = "vllm-0.9"
    server = openai_servers.OLD_VLLM
    needs_key = False


class Ollama(OpenAICompatible):
    """Below `/ollama/v1`: any key or none, cloud models that leave the schema out."""

    name = "ollama"
    server = openai_servers.OLLAMA
    needs_key = False
