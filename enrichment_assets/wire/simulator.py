"""Where a request of a batch for the simulator goes: below the simulator's address, whatever is configured.

A client's table, server or gateway has a place in the simulator that stands for it; its own address is not called.
That nothing else is called either is seen to where requests leave (`wire.transport`).
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from yarl import URL

from enrichment_assets.domain.provider import Provider, RenderedRequest
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS

RECEIVER_HEADER = "x-sandbox-receiver"
"""Tells the simulator whom it may call back: an address of somebody else in a body is not called by it either."""


class Place(NamedTuple):
    """An address as a provider takes it: `url` is absolute or a path below `base_url`."""

    base_url: str
    url: str


def is_below(url: str | URL, base: str) -> bool:
    """Whether an address is at or below another: same scheme, host and port, and a path that begins with its path."""
    try:
        one, other = URL(url), URL(base)
        if not one.absolute or one.origin() != other.origin():
            return False
    except ValueError:
        return False
    root = other.path.rstrip("/")
    return one.path == root or one.path.startswith(f"{root}/")


def simulated_place(
    workflow: WorkflowDefinition,
    provider: Provider,
    request: RenderedRequest,
    sandbox_url: str,
    *,
    is_poll: bool = False,
) -> Place:
    """Where a rendered request goes instead of where it is configured to go; what is at the simulator stays.

    Args:
        workflow: Whose request it is.
        provider: At its place in the simulator, `<sandbox_url>/<name>`.
        request: As rendered, its URL a path or absolute.
        sandbox_url: The simulator.
        is_poll: The request asks for the answer of an earlier one.
    """
    configured = _configured(workflow, request.url)
    if configured is None:
        return Place(provider.base_url, request.url)
    if is_below(configured, sandbox_url):
        own = workflow.base_url if workflow.base_url and not _is_absolute(request.url) else provider.base_url
        return Place(own, request.url)
    stand_in = provider.simulated_path(configured, is_poll=is_poll)
    return Place(provider.base_url, _same_path(workflow, configured) if stand_in is None else stand_in)


def replaced_addresses(workflow: WorkflowDefinition, sandbox_url: str) -> tuple[str, ...]:
    """Scheme, host and port of every configured address that is not called, in order; a path may be a key."""
    if workflow.mode is Mode.LOCAL:
        return ()
    renderers = [renderer_of(workflow, PROVIDERS.get(workflow.provider))]
    if workflow.poll is not None:
        renderers.append(RequestRenderer.for_poll(workflow))
    addresses = [_configured(workflow, renderer.address(workflow.parameters)) for renderer in renderers]
    return tuple(dict.fromkeys(_origin(url) for url in addresses if url and not is_below(url, sandbox_url)))


def _configured(workflow: WorkflowDefinition, url: str) -> str | None:
    """The absolute address that the configuration gives; None: only the provider has one."""
    if _is_absolute(url):
        return url
    return f"{workflow.base_url.rstrip('/')}/{url.lstrip('/')}" if workflow.base_url else None


def _is_absolute(url: str) -> bool:
    return "://" in url.partition("?")[0]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _same_path(workflow: WorkflowDefinition, url: str) -> str:
    """The path of an address below the `base_url` that the workflow gives, if it gives one."""
    base = (workflow.base_url or "").rstrip("/")
    if base and url.startswith(f"{base}/"):
        return url.removeprefix(base)
    parts = urlsplit(url)
    return f"{parts.path}{f'?{parts.query}' if parts.query else ''}"
