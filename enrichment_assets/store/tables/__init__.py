"""The tables of the HQ database, as SQLAlchemy Core metadata. Migrations under `../migrations/` follow these files.

What belongs here: columns, keys, checks, indexes, what a column holds of a person (`marks`), and a line on why each
table exists. Queries are elsewhere in this room. Every tenant-owned table carries `client_id`.
"""

from __future__ import annotations

from enrichment_assets.store.tables.access import api_keys, login_guesses, recovery_codes, user_roles, users
from enrichment_assets.store.tables.alert import alert_channels, alert_incidents, alert_notices, alert_rules
from enrichment_assets.store.tables.audit import operator_actions
from enrichment_assets.store.tables.batch import batch_items, batches, item_edits
from enrichment_assets.store.tables.call import bulk_calls, prompt_inputs, provider_calls
from enrichment_assets.store.tables.campaign import outreach_campaigns
from enrichment_assets.store.tables.catalog import (
    client_profiles,
    client_workflow_configs,
    clients,
    enrich_readers,
    enrichment_pipelines,
    enrichment_registry,
)
from enrichment_assets.store.tables.columns import MONEY, metadata
from enrichment_assets.store.tables.delivery import (
    batch_deliveries,
    deliveries,
    delivery_identities,
    planned_deliveries,
)
from enrichment_assets.store.tables.delivery_event import delivery_events, delivery_stops, event_inbox, event_sources
from enrichment_assets.store.tables.draft import workflow_drafts
from enrichment_assets.store.tables.erasure import person_erasures, written_files
from enrichment_assets.store.tables.family import item_families
from enrichment_assets.store.tables.gate import (
    contact_consents,
    gate_contacts,
    gate_entries,
    gate_passes,
    gate_rules,
)
from enrichment_assets.store.tables.inbox import callback_inbox
from enrichment_assets.store.tables.known import known_batches, known_identities
from enrichment_assets.store.tables.limit import rate_counts, rate_limits, rate_queue, rate_shares
from enrichment_assets.store.tables.mail import mail_messages, mailboxes
from enrichment_assets.store.tables.mail_check import mail_domain_checks
from enrichment_assets.store.tables.money import budgets
from enrichment_assets.store.tables.organisation import organisation_decisions
from enrichment_assets.store.tables.outgoing import (
    outgoing_events,
    outgoing_leads,
    outgoing_messages,
    outgoing_webhooks,
)
from enrichment_assets.store.tables.proposal import search_proposals
from enrichment_assets.store.tables.pull import pull_syncs, pulled_pages, pulls
from enrichment_assets.store.tables.result import enrichment_results, enrichment_results_log
from enrichment_assets.store.tables.review import approvals, draft_standings
from enrichment_assets.store.tables.run import item_leases, runners, step_stops, step_times
from enrichment_assets.store.tables.source import source_rows, sources
from enrichment_assets.store.tables.state import company_play_step_completions, workflow_states
from enrichment_assets.store.tables.suppression import suppression_state, suppressions
from enrichment_assets.store.tables.upload import upload_parts, upload_rejections, upload_rows, uploads

__all__ = [
    "MONEY",
    "alert_channels",
    "alert_incidents",
    "alert_notices",
    "alert_rules",
    "api_keys",
    "approvals",
    "batch_deliveries",
    "batch_items",
    "batches",
    "budgets",
    "bulk_calls",
    "callback_inbox",
    "client_profiles",
    "client_workflow_configs",
    "clients",
    "company_play_step_completions",
    "contact_consents",
    "deliveries",
    "delivery_events",
    "delivery_identities",
    "delivery_stops",
    "draft_standings",
    "enrich_readers",
    "enrichment_pipelines",
    "enrichment_registry",
    "enrichment_results",
    "enrichment_results_log",
    "event_inbox",
    "event_sources",
    "gate_contacts",
    "gate_entries",
    "gate_passes",
    "gate_rules",
    "item_edits",
    "item_families",
    "item_leases",
    "known_batches",
    "known_identities",
    "login_guesses",
    "mail_domain_checks",
    "mail_messages",
    "mailboxes",
    "metadata",
    "operator_actions",
    "organisation_decisions",
    "outgoing_events",
    "outgoing_leads",
    "outgoing_messages",
    "outgoing_webhooks",
    "outreach_campaigns",
    "person_erasures",
    "planned_deliveries",
    "prompt_inputs",
    "provider_calls",
    "pull_syncs",
    "pulled_pages",
    "pulls",
    "rate_counts",
    "rate_limits",
    "rate_queue",
    "rate_shares",
    "recovery_codes",
    "runners",
    "search_proposals",
    "source_rows",
    "sources",
    "step_stops",
    "step_times",
    "suppression_state",
    "suppressions",
    "upload_parts",
    "upload_rejections",
    "upload_rows",
    "uploads",
    "user_roles",
    "users",
    "workflow_drafts",
    "workflow_states",
    "written_files",
]
