"""What a client's slug may look like. It names folders of the warehouse, so nothing else may stand in for one."""

from __future__ import annotations

import re

from enrichment_assets.domain.errors import ConfigurationError

SLUG_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
"""Slugs of clients, workflows and pipelines: lower case, digits and hyphens, at most 63 characters."""


def checked_client_slug(text: str) -> str:
    """The slug, if it is one.

    Raises:
        ConfigurationError: It is none (`*`, `../acme`, `Acme`); says what one looks like.
    """
    if not re.fullmatch(SLUG_PATTERN.strip("^$"), text):
        raise ConfigurationError(
            f"{text!r} is not a client's slug: lower-case letters, digits and hyphens, at most 63",
            code="client.slug_invalid",
        )
    return text
