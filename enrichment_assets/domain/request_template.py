"""The template of one HTTP request, as configuration writes it. How it is rendered is in `domain.templating`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from enrichment_assets.domain.parts import Part


class RequestTemplate(Part):
    """An HTTP request with `{{field}}` templates.

    `url` is absolute, or a path below the provider's `base_url`. A value that is nothing but one expression keeps its
    type (a number stays a number); a query parameter, header or body member whose whole value renders to null
    or an empty string is left out.
    Besides the item's fields, templates see `original` (the uploaded row by column name), `item` (id, row_number,
    parent_id, batch, client), `parameters`, `client_profile`, and in async workflows `callback_url`.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"] = "POST"
    url: str = Field(min_length=1)
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, Any] = Field(default_factory=dict)
    body: dict[str, Any] | list[Any] | str | None = None
    body_format: Literal["json", "form", "text"] = "json"
