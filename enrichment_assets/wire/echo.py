"""Takes a call's own secrets out of what the provider answered, before anything is stored.

Some services repeat the request in an answer or an error page, and with it the key. Answers are kept as they came, in
the ledger and in Parquet; this is the one exception (docs/adr/0017). A secret shorter than `SHORTEST` is left alone:
so short a text stands in many an answer by itself.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from enrichment_assets.domain.provider import Answer

SHORTEST = 8
"""Characters."""


class EchoGuard:
    """Knows the spellings in which this workflow's secrets can come back; made once a step."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        found = [
            (spelling.encode(), f"[secret {purpose}]".encode())
            for purpose, value in secrets.items()
            if len(value) >= SHORTEST
            for spelling in _spellings(value)
        ]
        if "user" in secrets and "password" in secrets:  # Basic authentication sends the two as one
            pair = base64.b64encode(f"{secrets['user']}:{secrets['password']}".encode())
            found.append((pair.rstrip(b"="), b"[secret password]"))
        self._needles = sorted(set(found), key=lambda needle: len(needle[0]), reverse=True)

    def without_secrets(self, body: bytes) -> bytes:
        """The bytes with each secret replaced by `[secret <purpose>]`; the same object where there is none."""
        for needle, instead in self._needles:
            if needle in body:
                body = body.replace(needle, instead)
        return body

    def clean(self, answer: Answer) -> tuple[Answer, bool]:
        """The answer without our secrets in body and headers, and whether there were any."""
        if not self._needles:
            return answer, False
        body = self.without_secrets(answer.body)
        headers = {name: self._header(value) for name, value in answer.headers.items()}
        if body is answer.body and headers == answer.headers:
            return answer, False
        return replace(answer, body=body, headers=headers), True

    def _header(self, value: str) -> str:
        """A kept header is its bytes read as Latin-1; the same object where there is no secret in it."""
        raw = value.encode("latin-1", "replace")
        cleaned = self.without_secrets(raw)
        return value if cleaned is raw else cleaned.decode("latin-1")


def _spellings(value: str) -> set[str]:
    """As it is, and as URLs, JSON, base64 and Latin letters' escapes write it."""
    return {
        value,
        quote(value, safe=""),
        quote(value),
        json.dumps(value)[1:-1],
        json.dumps(value).replace("/", "\\/")[1:-1],
        base64.b64encode(value.encode()).decode().rstrip("="),
    }
