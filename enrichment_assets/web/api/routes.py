"""The table of routes: what there is, who may, and by what the client of a request is known. The router is made of it.

`tests/access/test_every_route.py` asks each of them as everybody.
"""

from __future__ import annotations

from enrichment_assets.domain.access import Permission
from enrichment_assets.services.shapes import access as access_shapes
from enrichment_assets.services.shapes import (
    campaigns,
    deliveries,
    history,
    jobs,
    launches,
    leads,
    pulls,
    uploads,
)
from enrichment_assets.web.api import (
    campaign_handlers,
    handlers,
    lead_handlers,
    pull_handlers,
)
from enrichment_assets.web.api import upload_handlers as upload_routes
from enrichment_assets.web.api.batch_routes import BATCH_ROUTES
from enrichment_assets.web.api.catalog_routes import CATALOG_ROUTES
from enrichment_assets.web.api.route_types import (
    ALIASES,
    BY_CURSOR,
    BY_NUMBER,
    PREFIX,
    ClientBy,
    Route,
    Takes,
    Whoever,
)

__all__ = ["ALIASES", "PREFIX", "ROUTES", "ClientBy", "Route", "Takes", "Whoever"]

_CLIENT = Takes("client", "text", "whose; not needed where a key is of one client")
_LEADS = (
    Takes("pipeline", "text", "slug of the pipeline that they go through", needed=True),
    Takes("leads", "objects", "each the values of a lead by name: company_domain, first_name ...", needed=True),
    Takes("callback_url", "text", "address of a webhook of the client: it is told when they are done"),
    _CLIENT,
)
_COURSE = (
    Takes("course_name", "text", "name of the course", needed=True),
    Takes("state", "text", "its state", needed=True),
    Takes("course_id", "text", "its number elsewhere"),
    Takes("callback_url", "text", "address of a webhook of the client"),
    _CLIENT,
)
_LAUNCH = (
    Takes("pipeline", "text", "slug of the pipeline", needed=True),
    Takes("rows", "number", "a pilot of the first rows"),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/session",
        Whoever.ANYBODY,
        ClientBy.NOTHING,
        handlers.log_in,
        takes=(
            Takes("login", "text", "who", needed=True),
            Takes("password", "text", "their password", needed=True),
            Takes("code", "text", "of their authenticator"),
        ),
    ),
    Route("POST", "/session/end", Whoever.ANYBODY, ClientBy.NOTHING, handlers.log_out),
    Route(
        "POST",
        "/password",
        Whoever.ANYBODY,
        ClientBy.NOTHING,
        handlers.set_password,
        takes=(
            Takes("token", "text", "the one-time token", needed=True),
            Takes("password", "text", "of 12 characters at least", needed=True),
        ),
    ),
    Route("GET", "/me", Whoever.KNOWN, ClientBy.NOTHING, handlers.me, gives=access_shapes.Caller),
    *CATALOG_ROUTES,
    Route(
        "GET",
        "/uploads",
        Permission.UPLOADS_READ,
        ClientBy.QUERY,
        upload_routes.uploads,
        takes=(_CLIENT, *BY_CURSOR),
        gives=uploads.Upload,
        gives_many=True,
    ),
    Route(
        "GET",
        "/uploads/{upload}",
        Permission.UPLOADS_READ,
        ClientBy.UPLOAD,
        upload_routes.upload,
        gives=uploads.Upload,
    ),
    Route(
        "GET",
        "/uploads/{upload}/plan",
        Permission.BATCHES_LAUNCH,
        ClientBy.UPLOAD,
        upload_routes.plan,
        takes=_LAUNCH,
        gives=launches.LaunchPlan,
    ),
    Route(
        "POST",
        "/uploads/{upload}/launch",
        Permission.BATCHES_LAUNCH,
        ClientBy.UPLOAD,
        upload_routes.launch,
        takes=(*_LAUNCH, Takes("budget", "text", "what the batch may spend at most, as 12.50: then it pauses")),
        gives=launches.Launch,
        status=202,
    ),
    Route(
        "POST",
        "/uploads",
        Permission.UPLOADS_WRITE,
        ClientBy.QUERY,
        upload_routes.take,
        takes=(
            _CLIENT,
            Takes("name", "text", "name of the file", needed=True),
            Takes("encoding", "text", "where it is not to be guessed, as latin-1"),
            Takes("delimiter", "text", "where it is not to be guessed, as tab"),
            Takes("sheet", "text", "of a workbook"),
        ),
        gives=uploads.Upload,
        takes_file=True,
    ),
    *BATCH_ROUTES,
    *(
        Route(
            "POST",
            "/leads/enrich",
            Permission.BATCHES_LAUNCH,
            ClientBy.BODY,
            lead_handlers.enrich,
            prefix,
            takes=_LEADS,
            gives=jobs.Taken,
            status=202,
        )
        for prefix in (PREFIX, ALIASES)
    ),
    Route(
        "POST",
        "/enrich-course",
        Permission.BATCHES_LAUNCH,
        ClientBy.BODY,
        lead_handlers.enrich_course,
        ALIASES,
        takes=_COURSE,
        gives=jobs.Taken,
        status=202,
    ),
    Route(
        "GET",
        "/leads",
        Permission.LEADS_READ,
        ClientBy.QUERY,
        lead_handlers.newest_leads,
        ALIASES,
        takes=(_CLIENT, *BY_NUMBER),
        gives=leads.Row,
        gives_many=True,
    ),
    Route(
        "POST",
        "/instantly/sync",
        Permission.PULLS_SYNC,
        ClientBy.QUERY,
        pull_handlers.sync_instantly,
        ALIASES,
        takes=(Takes("source", "text", "api or file"), Takes("file_path", "text", "of a file of figures")),
        gives=pulls.PullSync,
    ),
    Route(
        "GET",
        "/instantly/campaigns",
        Permission.PULLS_READ,
        ClientBy.QUERY,
        pull_handlers.campaigns,
        ALIASES,
        takes=(_CLIENT, *BY_CURSOR),
        gives=pulls.InstantlyCampaign,
        gives_many=True,
    ),
    Route(
        "GET",
        "/campaigns",
        Permission.PULLS_READ,
        ClientBy.QUERY,
        campaign_handlers.campaigns,
        ALIASES,
        takes=(_CLIENT, *BY_CURSOR),
        gives=campaigns.Campaign,
        gives_many=True,
    ),
    Route(
        "POST",
        "/campaigns/launch",
        Permission.DELIVERIES_SEND,
        ClientBy.BODY,
        campaign_handlers.launch,
        ALIASES,
        takes=(
            Takes("campaign", "text", "its name, as its file says", needed=True),
            Takes("batch", "text", "key of the batch whose leads go", needed=True),
            Takes("where", "texts", "conditions, as country=Germany"),
            Takes("delivery", "text", "slug of the delivery, for a client with one of its own"),
            _CLIENT,
        ),
        gives=deliveries.LeadDelivery,
        status=202,
    ),
    Route(
        "GET",
        "/audit",
        Permission.AUDIT_READ,
        ClientBy.QUERY,
        handlers.audit,
        takes=(
            _CLIENT,
            *BY_NUMBER,
            Takes("actor", "text", "only of this actor"),
            Takes("code", "text", "only what was done so"),
            Takes("since", "time", "not before"),
        ),
        gives=history.OperatorAction,
        gives_many=True,
    ),
    Route(
        "GET",
        "/users",
        Permission.ACCESS_READ,
        ClientBy.NOTHING,
        handlers.list_users,
        takes=BY_CURSOR,
        gives=access_shapes.User,
        gives_many=True,
    ),
    Route(
        "GET",
        "/api-keys",
        Permission.ACCESS_READ,
        ClientBy.NOTHING,
        handlers.list_keys,
        takes=BY_CURSOR,
        gives=access_shapes.ApiKey,
        gives_many=True,
    ),
)
