"""Rendering a workflow's request template for one item. Pure and compiled once: a render is a few microseconds.

An uploaded cell is a stranger's text. It may fill a value; it may not choose the host, climb out of a path segment, add
a header or name a secret. Nor may it name a private place where a scraper is told what to fetch: one that runs in our
own network would fetch `http://169.254.169.254`. Those rules are here; the template language itself is in
`domain.template_expressions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import HeaderParts, RenderedRequest, SecretPlace
from enrichment_assets.domain.public_addresses import names_private_place
from enrichment_assets.domain.request_template import RequestTemplate
from enrichment_assets.domain.template_expressions import (
    Evaluate,
    Part,
    TemplateError,
    as_text,
    compile_text,
    parse,
)
from enrichment_assets.domain.workflow import WorkflowDefinition

MAX_URL = 8_000
MAX_HEADER = 8_000
MAX_BODY = 1_000_000
"""Bytes; a request that renders larger is refused instead of sent."""

_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}
_HEADER_TEXT = re.compile(r"[\x20-\x7e\t]*")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FETCHED = re.compile(r"(?:.*\.)?(?:urls?|start_?urls?|(?:\w+_)?website|homepage)(?:\[\d+\])?", re.IGNORECASE)
"""Members by which whoever fetches is told what: `url` (ZenRows, Firecrawl, Jina), `urls`, `startUrls` (Apify)."""
_DOTS_ONLY = re.compile(r"(?:\.|%2[eE]){1,2}")


class RequestRenderer:
    """Renders the request of one workflow, or its poll request with `for_poll`.

    Raises:
        ConfigurationError: A template cannot be compiled or breaks a rule; names workflow, field and template.
    """

    def __init__(self, workflow: WorkflowDefinition, *, request: RequestTemplate | None = None) -> None:
        template = request or workflow.request
        if template is None:
            raise ConfigurationError(
                f"workflow {workflow.slug}: a local workflow has no request to render",
                code="workflow.local_without_request",
            )
        self._slug = workflow.slug
        self._fetches_pages = workflow.response is not None and workflow.response.format == "page"
        self._method = template.method
        self._format = template.body_format
        self._url = [(part, _in_url(part)) for part in self._url_parts(template.url)]
        self._query = {name: self._node(f"query.{name}", value) for name, value in template.query.items()}
        self._headers = {name: self._header(name, value) for name, value in template.headers.items()}
        self._body = None if template.body is None else self._node("body", template.body)
        self._sets_content_type = any(name.lower() == "content-type" for name in template.headers)

    @classmethod
    def for_poll(cls, workflow: WorkflowDefinition) -> RequestRenderer:
        """The renderer of `poll.request`; its context also has `external_id`."""
        if workflow.poll is None:
            raise ConfigurationError(f"workflow {workflow.slug}: has no `poll`", code="workflow.no_poll")
        return cls(workflow, request=workflow.poll.request)

    def render(self, context: Mapping[str, Any]) -> RenderedRequest:
        """Render for one item.

        Args:
            context: Fields at top level, `original`, `item`, `parameters`, `callback_url`, `external_id`; a name that
                is missing is null.

        Raises:
            ContractError: This item cannot be put into this request; names workflow and field, quotes no data.
        """
        headers, secret_headers = self._rendered_headers(context)
        content = self._rendered_body(context)
        if content is not None and not self._sets_content_type:
            headers["content-type"] = _CONTENT_TYPES[self._format]
        query = {}
        for name, node in self._query.items():
            value = self._evaluate(f"query.{name}", node, context)
            if not (value is None or value == ""):
                query[name] = _query_text(value)
        return RenderedRequest(self._method, self._rendered_url(context), headers, query, content, secret_headers)

    def address(self, parameters: Mapping[str, Any]) -> str:
        """The URL as far as configuration alone decides it: up to the first expression over an item."""
        text = ""
        for part, _ in self._url:
            if not part.is_configuration:
                break
            text += part.literal if part.evaluate is None else as_text(part.evaluate({"parameters": parameters}))  # type: ignore[operator]
        return text

    def _rendered_url(self, context: Mapping[str, Any]) -> str:
        pieces = []
        for part, encode in self._url:
            if part.evaluate is None:
                pieces.append(part.literal or "")
                continue
            text = as_text(self._evaluate("url", part.evaluate, context))
            if not text.strip():
                raise ContractError(
                    f"workflow {self._slug}, url: {_named(part)} is empty for this item", code="request.url_part_empty"
                )
            if encode and self._fetches_pages:
                self._refuse_private("url", text)
            pieces.append(quote(text, safe="") if encode else text.strip())
        url = "".join(pieces)
        path = url.partition("?")[0]
        if "." in path and any(_DOTS_ONLY.fullmatch(segment) for segment in path.split("/")):
            raise ContractError(f"workflow {self._slug}, url: a path segment is only dots", code="request.path_of_dots")
        if len(url) > MAX_URL:
            raise ContractError(
                f"workflow {self._slug}, url: longer than {MAX_URL} characters", code="request.url_too_long"
            )
        return url

    def _rendered_headers(self, context: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, HeaderParts]]:
        """Headers that are whole, and those that wait for a secret."""
        headers, waiting = {}, {}
        for name, steps in self._headers.items():
            if isinstance(steps, str):
                headers[name] = steps
                continue
            parts = tuple(
                as_text(self._evaluate(f"headers.{name}", step, context)) if callable(step) else step for step in steps
            )
            text = "".join(part for part in parts if isinstance(part, str))
            if len(text) > MAX_HEADER or not _HEADER_TEXT.fullmatch(text):
                raise ContractError(
                    f"workflow {self._slug}, headers.{name}: a header is one line of ASCII, "
                    f"at most {MAX_HEADER} characters",
                    code="request.header_invalid",
                )
            if any(isinstance(part, SecretPlace) for part in parts):
                waiting[name] = parts
            elif text:
                headers[name] = text
        return headers, waiting

    def _rendered_body(self, context: Mapping[str, Any]) -> bytes | None:
        if self._body is None:
            return None
        value = self._evaluate("body", self._body, context)
        try:
            content = self._encoded(value)
        except (TypeError, ValueError) as error:
            raise ContractError(
                f"workflow {self._slug}, body: cannot be encoded ({type(error).__name__})",
                code="request.body_not_encodable",
            ) from None
        if len(content) > MAX_BODY:
            raise ContractError(
                f"workflow {self._slug}, body: larger than {MAX_BODY} bytes", code="request.body_too_large"
            )
        return content

    def _encoded(self, value: Any) -> bytes:
        if self._format == "json":
            return json_bytes(value)
        if self._format == "form":
            members = value if isinstance(value, dict) else {}
            return urlencode({name: _query_text(member) for name, member in members.items()}).encode()
        return as_text(value).encode()

    def _evaluate(self, field: str, node: Any, context: Mapping[str, Any]) -> Any:
        try:
            return node(context) if callable(node) else node
        except ContractError:
            raise
        except Exception as error:  # Jinja2 raises anything that an expression can
            raise ContractError(
                f"workflow {self._slug}, {field}: the template failed for this item ({type(error).__name__})",
                code="request.template_failed",
            ) from None

    def _node(self, field: str, value: Any) -> Any:
        """Compile a template value: a literal stays one, anything with an expression in it becomes a function."""
        if isinstance(value, str):
            parts = self._parse(field, value)
            evaluate = compile_text(parts, value)
            of_item = parts is None or any(not part.is_configuration for part in parts)
            is_fetched = of_item and (self._fetches_pages or _FETCHED.fullmatch(field))
            return self._of_public(field, evaluate) if is_fetched and callable(evaluate) else evaluate
        if isinstance(value, Mapping):
            return _object({name: self._node(f"{field}.{name}", member) for name, member in value.items()})
        if isinstance(value, list | tuple):
            return _array([self._node(f"{field}[{n}]", member) for n, member in enumerate(value)])
        return value

    def _of_public(self, field: str, evaluate: Evaluate) -> Evaluate:
        """The value, unless it tells the provider to fetch from a private place."""

        def checked(context: Mapping[str, Any]) -> Any:
            value = evaluate(context)
            for member in value if isinstance(value, list | tuple) else (value,):
                if isinstance(member, str) and member != context.get("callback_url"):
                    self._refuse_private(field, member)
            return value

        return checked

    def _refuse_private(self, field: str, text: str) -> None:
        if names_private_place(text):
            raise ContractError(
                f"workflow {self._slug}, {field}: the address is of a private network or machine",
                code="request.private_address",
            )

    def _header(self, name: str, text: str) -> str | list[str | SecretPlace | Evaluate]:
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(
                f"workflow {self._slug}: {name!r} is not a header name", code="workflow.header_name_invalid"
            )
        parts = self._parse(f"headers.{name}", text, secrets_allowed=True)
        if parts is None:
            raise self._refused(f"headers.{name}", text, "only {{ }} expressions may stand in a header")
        if not all(_HEADER_TEXT.fullmatch(part.literal or "") for part in parts):
            raise self._refused(f"headers.{name}", text, "a header is one line of ASCII")
        if all(part.literal is not None for part in parts):
            return "".join(part.literal or "" for part in parts)
        return [part.secret or part.evaluate or part.literal or "" for part in parts]

    def _url_parts(self, text: str) -> list[Part]:
        parts = self._parse("url", text)
        if parts is None:
            raise self._refused("url", text, "only {{ }} expressions may stand in a URL")
        before = ""
        for part in parts:
            if not part.is_configuration and "/" not in before.partition("://")[2 if "://" in before else 0]:
                raise self._refused("url", text, "an item's field may not choose the host: begin with a fixed address")
            before += part.literal if part.literal is not None else "parameter"
        return parts

    def _parse(self, field: str, text: str, *, secrets_allowed: bool = False) -> list[Part] | None:
        try:
            return parse(text, secrets_allowed=secrets_allowed)
        except (TemplateError, ValueError) as error:
            raise self._refused(field, text, str(error)) from error

    def _refused(self, field: str, text: str, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"workflow {self._slug}, request.{field}: {text!r}: {reason}", code="workflow.template_invalid"
        )


def _in_url(part: Part) -> bool:
    """Whether to percent-quote what a part renders to: everything but what the operator wrote."""
    return not part.is_configuration


def _named(part: Part) -> str:
    return "{{" + ", ".join(sorted(part.names)) + "}}"


def _query_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(as_text(member) for member in value)
    return as_text(value)


def _object(members: dict[str, Any]) -> Any:
    """Members that are null or empty text are left out, literals as well as rendered ones."""
    if not any(callable(member) for member in members.values()):
        return {name: member for name, member in members.items() if not (member is None or member == "")}
    steps = [(name, member, callable(member)) for name, member in members.items()]

    def render(context: Mapping[str, Any]) -> dict[str, Any]:
        rendered = {}
        for name, member, calls in steps:
            value = member(context) if calls else member
            if not (value is None or value == ""):
                rendered[name] = value
        return rendered

    return render


def _array(members: list[Any]) -> Any:
    """Elements keep their places: in a list a null may mean something."""
    if not any(callable(member) for member in members):
        return members
    return lambda context: [member(context) if callable(member) else member for member in members]
