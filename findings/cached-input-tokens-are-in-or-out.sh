#!/usr/bin/env bash
# `input_tokens` of a usage has the cached tokens in it at OpenAI (client 3.57.0), and not at Anthropic (client 2.14.0).
#
# Expected: a field of one name, in two clients that look alike, counts the same; cached tokens are a part of it.
# Seen: at OpenAI `input_tokens_details` breaks `input_tokens` down, cached ones among them. At Anthropic `input_tokens`
# is what came after the cache: the whole is the sum of three fields. Priced in OpenAI's way, an Anthropic call that read
# 1,800 tokens from its cache has fewer tokens than it read, and costs less than nothing for its fresh input.
#
# Ours: each dialect counts in its own way, and more cached tokens than input are no usage (docs/prompts.md).
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0 anthropic==2.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import inspect
from importlib.metadata import version

from anthropic.types import Usage, message
from openai.types.responses import ResponseUsage, response_usage

text = " ".join(inspect.getsource(message).split())
whole = "summation of `input_tokens`, `cache_creation_input_tokens`, and `cache_read_input_tokens`"
assert whole in text, "Anthropic's client describes it otherwise now"
assert "detailed breakdown of the input tokens" in inspect.getsource(response_usage)

ours = Usage(input_tokens=50, cache_read_input_tokens=1800, cache_creation_input_tokens=248, output_tokens=503)
theirs = ResponseUsage.model_validate(
    {
        "input_tokens": 2098,
        "input_tokens_details": {"cached_tokens": 1800, "cache_write_tokens": 248},
        "output_tokens": 503,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 2601,
    }
)
fresh = ours.input_tokens - (ours.cache_read_input_tokens or 0)
print(f"anthropic {version('anthropic')}: input_tokens {ours.input_tokens} of a request of 2098")
print(f"openai {version('openai')}: input_tokens {theirs.input_tokens} of the same")
print(f"fresh input of the first, counted in the way of the second: {fresh}")
assert theirs.input_tokens - theirs.input_tokens_details.cached_tokens == 298
assert fresh < 0
print("OK: one name, two meanings")
PYTHON
