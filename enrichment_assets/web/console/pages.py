"""The table of pages: what there is, who may, and by what the client of a page is known. The router is made of it.

`tests/console/test_every_page.py` asks each of them as everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from enrichment_assets.domain.access import Permission
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.routes import ClientBy, Whoever
from enrichment_assets.web.console.handlers import (
    access,
    asking,
    batches,
    building,
    callbacks,
    careers,
    clients,
    confirming,
    connections,
    dashboards,
    deliveries,
    entering,
    gate_of,
    home,
    lead_by_hand,
    leads,
    log,
    operations,
    persons,
    profile_of,
    recovery,
    reports,
    reviews,
    settings_of,
    suppressions,
    trying,
    uploads,
    workflows,
)
from enrichment_assets.web.console.views import Shown


@dataclass(frozen=True, slots=True)
class Page:
    """One row: nothing is shown that has none. `takes_file`: what it is sent is a file, and no form."""

    method: str
    path: str
    needs: Permission | Whoever
    client: ClientBy
    handler: Callable[[Call], Shown]
    takes_file: bool = False


_UPLOAD, _BATCH, _LEAD = "/uploads/{upload}", "/batches/{batch}", "/batches/{batch}/leads/{item}"
_CLIENT = "/clients/{client}"
_EVENTS, _WEBHOOK = f"{_CLIENT}/events/{{connection}}", f"{_CLIENT}/webhooks/{{webhook}}"
_OF_ONE_AND_OF_ALL = ((_CLIENT, ClientBy.PATH), ("", ClientBy.NOTHING))

_SUPPRESSIONS = tuple(
    Page(method, f"{of}/suppressions{path}", needs, by, handler)
    for of, by in _OF_ONE_AND_OF_ALL
    for method, path, needs, handler in (
        ("GET", "", Permission.LEADS_READ, suppressions.show),
        ("POST", "", Permission.LEADS_EDIT, suppressions.add),
        ("POST", "/check", Permission.LEADS_READ, suppressions.check),
        ("POST", "/remove", Permission.CLIENTS_EDIT, suppressions.remove),
    )
)
_PERSONS = tuple(
    Page(method, f"{of}/persons{path}", Permission.PERSONS_ERASE, by, handler)
    for of, by in _OF_ONE_AND_OF_ALL
    for method, path, handler in (
        ("GET", "", persons.show),
        ("POST", "/find", persons.find),
        ("POST", "/erase", persons.erase),
        ("GET", "/certificates/{subject}", persons.certificate),
    )
)

PAGES: tuple[Page, ...] = (
    Page("POST", "/login", Whoever.ANYBODY, ClientBy.NOTHING, entering.log_in),
    Page("GET", "/password", Whoever.ANYBODY, ClientBy.NOTHING, entering.password),
    Page("POST", "/password", Whoever.ANYBODY, ClientBy.NOTHING, entering.set_password),
    Page("POST", "/logout", Whoever.KNOWN, ClientBy.NOTHING, entering.log_out),
    Page("GET", "/", Permission.BATCHES_READ, ClientBy.QUERY, home.home),
    Page("GET", "/live", Permission.BATCHES_READ, ClientBy.QUERY, home.live),
    Page("GET", "/clients", Permission.CLIENTS_READ, ClientBy.QUERY, clients.list_),
    Page("POST", "/clients", Permission.CLIENTS_EDIT, ClientBy.NOTHING, clients.add),
    Page("POST", "/clients/{client}/budget", Permission.CLIENTS_EDIT, ClientBy.PATH, clients.budget),
    Page("GET", "/clients/{client}", Permission.CLIENTS_READ, ClientBy.PATH, clients.show),
    Page("GET", "/clients/{client}/leads", Permission.LEADS_READ, ClientBy.PATH, leads.of_client),
    Page("GET", "/clients/{client}/leads-file", Permission.LEADS_READ, ClientBy.PATH, leads.client_file),
    Page("GET", "/clients/{client}/lead", Permission.BATCHES_LAUNCH, ClientBy.PATH, lead_by_hand.new_lead),
    Page("POST", "/clients/{client}/lead", Permission.BATCHES_LAUNCH, ClientBy.PATH, lead_by_hand.take_lead),
    *_SUPPRESSIONS,
    Page("GET", f"{_CLIENT}/connections", Permission.CLIENTS_READ, ClientBy.PATH, connections.show),
    Page("POST", f"{_CLIENT}/sources/{{source}}", Permission.CLIENTS_EDIT, ClientBy.PATH, connections.switch_source),
    Page("GET", _EVENTS, Permission.CLIENTS_READ, ClientBy.PATH, connections.events),
    Page("POST", _EVENTS, Permission.CLIENTS_EDIT, ClientBy.PATH, connections.switch_events),
    Page("POST", f"{_EVENTS}/replay", Permission.CLIENTS_EDIT, ClientBy.PATH, connections.replay_events),
    Page("GET", _WEBHOOK, Permission.CLIENTS_READ, ClientBy.PATH, connections.webhook),
    Page("POST", _WEBHOOK, Permission.CLIENTS_EDIT, ClientBy.PATH, connections.switch_webhook),
    Page("POST", f"{_WEBHOOK}/send-again", Permission.CLIENTS_EDIT, ClientBy.PATH, connections.send_again),
    *_PERSONS,
    Page("POST", f"{_CLIENT}/organisations", Permission.LEADS_EDIT, ClientBy.PATH, careers.decide),
    Page("GET", f"{_CLIENT}/try/{{workflow}}", Permission.BATCHES_LAUNCH, ClientBy.PATH, trying.show),
    Page("POST", f"{_CLIENT}/try/{{workflow}}", Permission.BATCHES_LAUNCH, ClientBy.PATH, trying.tried),
    Page("GET", "/clients/{client}/settings", Permission.CLIENTS_READ, ClientBy.PATH, settings_of.show),
    Page("POST", "/clients/{client}/settings", Permission.CLIENTS_EDIT, ClientBy.PATH, settings_of.change),
    Page("GET", "/clients/{client}/gate", Permission.CLIENTS_READ, ClientBy.PATH, gate_of.show),
    Page("POST", "/clients/{client}/gate", Permission.CLIENTS_EDIT, ClientBy.PATH, gate_of.change),
    Page("GET", "/clients/{client}/profile", Permission.CLIENTS_READ, ClientBy.PATH, profile_of.show),
    Page("POST", "/clients/{client}/profile", Permission.CLIENTS_EDIT, ClientBy.PATH, profile_of.change),
    Page("GET", "/clients/{client}/builder", Permission.CLIENTS_EDIT, ClientBy.PATH, building.show),
    Page("POST", "/clients/{client}/builder", Permission.CLIENTS_EDIT, ClientBy.PATH, building.change),
    Page("GET", "/clients/{client}/upload", Permission.UPLOADS_WRITE, ClientBy.PATH, uploads.choose),
    Page("POST", "/clients/{client}/upload", Permission.UPLOADS_WRITE, ClientBy.PATH, uploads.take, takes_file=True),
    Page("GET", _UPLOAD, Permission.UPLOADS_READ, ClientBy.UPLOAD, uploads.show),
    Page("GET", f"{_UPLOAD}/repeats", Permission.UPLOADS_READ, ClientBy.UPLOAD, uploads.repeats),
    Page("POST", f"{_UPLOAD}/columns", Permission.UPLOADS_WRITE, ClientBy.UPLOAD, uploads.map_columns),
    Page("GET", f"{_UPLOAD}/launch", Permission.BATCHES_LAUNCH, ClientBy.UPLOAD, uploads.plan),
    Page("POST", f"{_UPLOAD}/launch", Permission.BATCHES_LAUNCH, ClientBy.UPLOAD, uploads.launch),
    Page("GET", "/batches", Permission.BATCHES_READ, ClientBy.QUERY, batches.list_),
    Page("GET", _BATCH, Permission.BATCHES_READ, ClientBy.BATCH, batches.show),
    Page("GET", f"{_BATCH}/live", Permission.BATCHES_READ, ClientBy.BATCH, batches.live),
    Page("POST", f"{_BATCH}/pause", Permission.BATCHES_CONTROL, ClientBy.BATCH, batches.pause),
    Page("POST", f"{_BATCH}/resume", Permission.BATCHES_CONTROL, ClientBy.BATCH, batches.resume),
    Page("POST", f"{_BATCH}/cancel", Permission.BATCHES_CONTROL, ClientBy.BATCH, batches.cancel),
    Page("POST", f"{_BATCH}/retry", Permission.BATCHES_CONTROL, ClientBy.BATCH, recovery.retry),
    Page("POST", f"{_BATCH}/replay", Permission.BATCHES_CONTROL, ClientBy.BATCH, recovery.replay),
    Page("GET", f"{_BATCH}/unknown", Permission.BATCHES_READ, ClientBy.BATCH, recovery.unknown),
    Page("POST", f"{_BATCH}/unknown", Permission.BATCHES_CONTROL, ClientBy.BATCH, recovery.resolve),
    Page("POST", f"{_BATCH}/callbacks", Permission.BATCHES_CONTROL, ClientBy.BATCH, callbacks.replay),
    Page("GET", f"{_BATCH}/leads", Permission.LEADS_READ, ClientBy.BATCH, leads.grid),
    Page("POST", f"{_BATCH}/leads-ask", Permission.BATCHES_CONTROL, ClientBy.BATCH, asking.ask),
    Page("GET", f"{_BATCH}/leads-file", Permission.LEADS_READ, ClientBy.BATCH, leads.file),
    Page("GET", _LEAD, Permission.LEADS_READ, ClientBy.BATCH, leads.show),
    Page("POST", f"{_LEAD}/edit", Permission.LEADS_EDIT, ClientBy.BATCH, leads.edit),
    Page("GET", "/review", Permission.REVIEWS_READ, ClientBy.QUERY, reviews.list_),
    Page("GET", "/review/drafts", Permission.REVIEWS_READ, ClientBy.QUERY, reviews.every),
    Page("GET", f"{_BATCH}/review", Permission.REVIEWS_READ, ClientBy.BATCH, reviews.queue),
    Page("POST", f"{_BATCH}/review", Permission.REVIEWS_DECIDE, ClientBy.BATCH, reviews.decide),
    Page("GET", f"{_BATCH}/questions", Permission.REVIEWS_READ, ClientBy.BATCH, reviews.questions),
    Page("POST", f"{_BATCH}/questions", Permission.REVIEWS_DECIDE, ClientBy.BATCH, reviews.answer),
    Page("GET", f"{_BATCH}/deliveries", Permission.BATCHES_READ, ClientBy.BATCH, deliveries.show),
    Page("GET", f"{_BATCH}/deliveries/live", Permission.BATCHES_READ, ClientBy.BATCH, deliveries.live),
    Page("POST", f"{_BATCH}/deliveries", Permission.DELIVERIES_SEND, ClientBy.BATCH, deliveries.send),
    Page("GET", "/careers", Permission.LEADS_READ, ClientBy.QUERY, careers.worked_at),
    Page("GET", "/careers/moves", Permission.LEADS_READ, ClientBy.QUERY, careers.moves),
    Page("GET", "/careers/changes", Permission.LEADS_READ, ClientBy.QUERY, careers.changes),
    Page("GET", "/organisations/{organisation}", Permission.LEADS_READ, ClientBy.QUERY, careers.organisation),
    Page("GET", "/workflows", Permission.WORKFLOWS_READ, ClientBy.QUERY, workflows.list_),
    Page("GET", "/workflows/{workflow}", Permission.WORKFLOWS_READ, ClientBy.QUERY, workflows.show),
    Page("GET", "/workflow-editor", Permission.WORKFLOWS_EDIT, ClientBy.NOTHING, workflows.editor),
    Page("POST", "/workflow-editor", Permission.WORKFLOWS_EDIT, ClientBy.NOTHING, workflows.save),
    Page("POST", "/workflows/{workflow}/switch", Permission.WORKFLOWS_EDIT, ClientBy.NOTHING, workflows.switch),
    Page("GET", "/dashboards", Permission.BATCHES_READ, ClientBy.QUERY, dashboards.show),
    Page("GET", "/reports", Permission.BATCHES_READ, ClientBy.QUERY, reports.show),
    Page("GET", "/operations", Permission.BATCHES_READ, ClientBy.QUERY, operations.show),
    Page("GET", "/automations", Permission.BATCHES_READ, ClientBy.NOTHING, operations.automations),
    Page(
        "POST",
        "/automations/{kind}/{name}",
        Permission.BATCHES_CONTROL,
        ClientBy.NOTHING,
        operations.switch_automation,
    ),
    Page("GET", "/alerts", Permission.BATCHES_READ, ClientBy.QUERY, operations.alerts),
    Page("POST", "/alerts", Permission.CLIENTS_EDIT, ClientBy.NOTHING, operations.add_alert),
    Page("POST", "/alerts/{rule}/remove", Permission.CLIENTS_EDIT, ClientBy.NOTHING, operations.remove_alert),
    Page("GET", "/callbacks", Permission.BATCHES_READ, ClientBy.QUERY, callbacks.list_),
    Page("GET", "/access", Permission.ACCESS_READ, ClientBy.NOTHING, access.show),
    Page("POST", "/access/users", Permission.ACCESS_EDIT, ClientBy.NOTHING, access.add_user),
    Page("POST", "/access/users/{login}", Permission.ACCESS_EDIT, ClientBy.NOTHING, access.change_user),
    Page("POST", "/access/keys", Permission.ACCESS_EDIT, ClientBy.NOTHING, access.add_key),
    Page("POST", "/access/keys/{name}/revoke", Permission.ACCESS_EDIT, ClientBy.NOTHING, access.revoke_key),
    Page("GET", "/confirm", Whoever.KNOWN, ClientBy.NOTHING, confirming.show),
    Page("POST", "/confirm", Whoever.KNOWN, ClientBy.NOTHING, confirming.give),
    Page("GET", "/log", Permission.AUDIT_READ, ClientBy.QUERY, log.show),
)
