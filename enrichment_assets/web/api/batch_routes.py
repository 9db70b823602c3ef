"""The rows of the table of routes that are of a batch: where it stands, its leads, its drafts, its deliveries."""

from __future__ import annotations

from enrichment_assets.domain.access import Permission
from enrichment_assets.services.shapes import asking, batches, deliveries, holds, jobs, leads, reviews
from enrichment_assets.web.api import asking_handlers, delivery_handlers, handlers, lead_handlers, review_handlers
from enrichment_assets.web.api.route_types import ClientBy, Route, Takes

_CLIENT = Takes("client", "text", "whose; not needed where a key is of one client")
_PAGE = (Takes("limit", "number", "how many at most"),)
_WORKFLOW = (Takes("workflow", "text", "only this step"),)
_HOLD = (*_WORKFLOW, Takes("reason", "text", "why"))

BATCH_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/batches",
        Permission.BATCHES_READ,
        ClientBy.QUERY,
        handlers.list_batches,
        takes=(_CLIENT, *_PAGE),
        gives=batches.Batch,
        gives_many=True,
    ),
    Route("GET", "/batches/{batch}", Permission.BATCHES_READ, ClientBy.BATCH, handlers.get_batch, gives=batches.Batch),
    Route(
        "POST",
        "/batches/{batch}/pause",
        Permission.BATCHES_CONTROL,
        ClientBy.BATCH,
        handlers.pause_batch,
        takes=_HOLD,
        gives=holds.HoldChange,
    ),
    Route(
        "POST",
        "/batches/{batch}/resume",
        Permission.BATCHES_CONTROL,
        ClientBy.BATCH,
        handlers.resume_batch,
        takes=_WORKFLOW,
        gives=holds.HoldChange,
    ),
    Route(
        "POST",
        "/batches/{batch}/cancel",
        Permission.BATCHES_CONTROL,
        ClientBy.BATCH,
        handlers.cancel_batch,
        takes=_HOLD,
        gives=holds.HoldChange,
    ),
    Route(
        "POST",
        "/batches/{batch}/ask",
        Permission.BATCHES_CONTROL,
        ClientBy.BATCH,
        asking_handlers.ask,
        takes=(
            Takes("workflows", "texts", "steps of its pipeline", needed=True),
            Takes("items", "texts", "item_ids of leads; without them all"),
            Takes("where", "texts", "conditions over its leads, as country=Germany"),
            Takes("again", "text", "yes: also what has an answer, which is paid once more"),
            Takes("dry_run", "text", "yes: only say what would be asked"),
            Takes("seen", "number", "calls at most that were shown before: more are refused"),
        ),
        gives=asking.Asking,
    ),
    Route(
        "GET",
        "/batches/{batch}/leads",
        Permission.LEADS_READ,
        ClientBy.BATCH,
        handlers.list_leads,
        takes=(Takes("after", "number", "item_id of the last lead of the page before"), *_PAGE),
        gives=leads.Row,
        gives_many=True,
    ),
    Route(
        "POST",
        "/batches/{batch}/leads/{item}/edit",
        Permission.LEADS_EDIT,
        ClientBy.BATCH,
        handlers.edit,
        takes=(
            Takes("field", "text", "which value", needed=True),
            Takes("value", "text", "what it is; without it the value is emptied"),
            Takes("note", "text", "why"),
        ),
    ),
    Route(
        "GET",
        "/batches/{batch}/reviews",
        Permission.REVIEWS_READ,
        ClientBy.BATCH,
        review_handlers.reviews,
        takes=(Takes("state", "text", "waiting, approved, rejected or outdated"), *_PAGE),
        gives=reviews.Review,
        gives_many=True,
    ),
    Route(
        "POST",
        "/batches/{batch}/reviews",
        Permission.REVIEWS_DECIDE,
        ClientBy.BATCH,
        review_handlers.decide,
        takes=(
            Takes("review", "text", "the draft, as 17/personalise-email", needed=True),
            Takes("sha256", "text", "of the bytes that it is said of", needed=True),
            Takes("decision", "text", "approve or reject", needed=True),
            Takes("note", "text", "why; needed to reject"),
        ),
        gives=reviews.ReviewChange,
    ),
    Route(
        "GET",
        "/leads/jobs/{job}",
        Permission.BATCHES_READ,
        ClientBy.QUERY,
        lead_handlers.job,
        takes=(_CLIENT,),
        gives=jobs.Job,
    ),
    Route(
        "GET",
        "/batches/{batch}/deliveries/plan",
        Permission.BATCHES_READ,
        ClientBy.BATCH,
        delivery_handlers.plan,
        takes=(
            Takes("to", "text", "slug of a delivery; without it those that its pipeline names"),
            Takes("where", "text", "a condition, as country=Germany"),
        ),
        gives=deliveries.LeadDelivery,
        gives_many=True,
    ),
    Route(
        "POST",
        "/batches/{batch}/deliveries",
        Permission.DELIVERIES_SEND,
        ClientBy.BATCH,
        delivery_handlers.send,
        takes=(
            Takes("to", "texts", "slugs of deliveries", needed=True),
            Takes("where", "texts", "conditions, as country=Germany"),
        ),
        gives=deliveries.LeadDelivery,
        gives_many=True,
        status=202,
    ),
)
