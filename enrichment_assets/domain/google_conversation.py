"""What calls to Google's services share: a token for credentials, and a conversation that ends with an answer.

A secret is an access token itself, or what Google gives out to make tokens of (`domain.google_tokens`); then the first
request of a conversation asks for one.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.google_tokens import credentials_of, token_request
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.request_parts import join_url, with_headers

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class ConversationEnded(Exception):
    """The call is answered with what one of its requests was answered with."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def authorised(request: RenderedRequest, secrets: Mapping[str, str], base_url: str) -> RenderedRequest:
    """The request with what is a token already; credentials of another kind are exchanged for one in the conversation.

    Raises:
        ConfigurationError: The credentials are none.
    """
    url = join_url(base_url, request.url)
    is_token = credentials_of(secrets["credentials"]) is None
    added = {"authorization": f"Bearer {secrets['credentials']}"} if is_token else {}
    return with_headers(request, url, {**added, "accept": "application/json"})


def with_token(
    request: RenderedRequest, credentials: Mapping[str, Any] | None, scope: str, base: str, home: str
) -> Generator[RenderedRequest, Answer, RenderedRequest]:
    """The request with a token for these credentials; None: it has one.

    Args:
        request: What is asked.
        credentials: As `credentials_of` reads them.
        scope: What the token is for.
        base: Where the service is asked; elsewhere than at `home` it gives out tokens itself.
        home: Where Google has it.

    Raises:
        ConversationEnded: Google gives none.
    """
    if credentials is None:
        return request
    endpoint = TOKEN_URL if base == home else f"{base}/token"
    given = yield from object_told(token_request(credentials, scope, endpoint, datetime.now(UTC)))
    return with_headers(request, request.url, {"authorization": f"Bearer {given.get('access_token') or ''}"})


def object_told(request: RenderedRequest) -> Generator[RenderedRequest, Answer, Mapping[str, Any]]:
    """The object that a request is answered with; raises `ConversationEnded` for any other answer."""
    answer = yield request
    if not 200 <= answer.status < 300:
        raise ConversationEnded(answer)
    try:
        body = parse_json(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ConversationEnded(replace(answer, status=502))
    return body
