"""Routes of leads that are asked for one by one, as jobs: taken now, done later, told by a signed webhook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.sources import API, Window
from enrichment_assets.services.batches.foresight import next_runner
from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.insight.lead_pages import MOST, lead_page
from enrichment_assets.services.outgoing.registering import list_webhooks
from enrichment_assets.services.shapes import jobs as shapes
from enrichment_assets.services.shapes.leads import Row
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.services.sources.gathering import Into
from enrichment_assets.services.sources.leads import add_leads, get_job
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.api.paging import page

GOLF = "golf"
"""The pipeline that a course goes through."""


def enrich(call: Call) -> Shape:
    """Take leads: once this answers they are kept, and go on by themselves."""
    pipeline, leads = call.text("pipeline", needed=True) or "", call.texts_of("leads")
    call.checked("pipeline", "leads", "callback_url", "client")
    return _taken(call, pipeline, leads)


def enrich_course(call: Call) -> Shape:
    """Take one golf course."""
    names = ("course_name", "state")
    values = {name: call.text(name, needed=True) or "" for name in names}
    number = call.body.get("course_id")
    call.checked(*names, "course_id", "callback_url", "client")
    if number is not None:
        if not isinstance(number, str | int) or isinstance(number, bool):
            raise invalid(course_id="is no text and no number")
        values["course_id"] = str(number)
    return _taken(call, GOLF, [values])


def job(call: Call) -> Shape:
    """Where a lead stands that was asked for."""
    number = call.path_number("job")
    call.checked()
    return shapes.Job.of(get_job(call.hq, call.settings, number, call.client))


def newest_leads(call: Call) -> Mapping[str, Any]:
    """The leads of a client's newest batch."""
    after, limit = call.number("after", 0), call.number("limit", 100, MOST)
    call.checked("after", "limit")
    found = overview(call.hq, call.settings, call.client, 1)
    if not found:
        return page([])
    (newest,) = found
    leads = lead_page(call.hq, call.settings, newest.client, newest.batch, after=after, limit=limit)
    return page(Row.all_of(leads.columns, leads.rows), leads.next)


def _taken(call: Call, pipeline: str, leads: list[dict[str, str]]) -> Shape:
    client = call.client or ""
    _check_callback(call, client)
    done = add_leads(
        call.hq,
        call.settings,
        Into(client, pipeline, API, API, Window.HOUR),
        leads,
        actor=call.known.actor,
        environment=next_runner(call.settings).variables,
    )
    rejections = {str(place + 1): why for place, why in done.rejections.items()}
    return shapes.Taken(done.jobs[0] if done.jobs else None, "processing", done.items, done.batch_key, rejections)


def _check_callback(call: Call, client: str) -> None:
    """Only a registered webhook is told: it has a secret that signs, and an address that was looked at."""
    url = call.body.get("callback_url")
    if url is None:
        return
    known = {one.url for one in list_webhooks(call.hq, client=client)}
    if not isinstance(url, str) or url not in known:
        raise invalid(callback_url="is the address of no webhook of this client: it is registered once, with a secret")
