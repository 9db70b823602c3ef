"""Parts of a request that leaves: the absolute address, and headers that replace others of the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import RenderedRequest


def join_url(base_url: str, url: str, *, anywhere: bool = False, schemes: Sequence[str] = ()) -> str:
    """The absolute address of a request.

    Args:
        base_url: The provider's address; may be empty for providers that have none in common.
        url: A path below it, or an absolute URL.
        anywhere: Whether an absolute `url` may leave `base_url` (providers whose addresses are the user's own).
        schemes: What it may begin with besides `http` and `https` (providers that are no HTTP).

    Raises:
        ConfigurationError: There is no address, or credentials would go to a stranger.
    """
    base = base_url.rstrip("/")
    if "://" not in url.partition("?")[0]:
        if not base:
            raise ConfigurationError(
                "the request has no address: set `base_url`, or an absolute address", code="request.address_missing"
            )
        return f"{base}/{url.lstrip('/')}"
    if urlsplit(url).scheme not in ("http", "https", *schemes):
        raise ConfigurationError("an address has to begin with http:// or https://", code="request.address_invalid")
    if not anywhere and not url.startswith(f"{base}/"):
        raise ConfigurationError(
            "the address is not below the provider's base_url: the key would go to another host",
            code="request.address_foreign",
        )
    return url


def with_headers(request: RenderedRequest, url: str, added: Mapping[str, str]) -> RenderedRequest:
    """The request at `url` with headers added; an added one replaces a header of the same name."""
    names = {name.lower() for name in added}
    headers = {name: value for name, value in request.headers.items() if name.lower() not in names} | dict(added)
    return replace(request, url=url, headers=headers)
