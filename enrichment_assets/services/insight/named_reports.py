"""The questions that `enrich report` knows by name, and the models that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """A named question: the view that answers it, how its rows are ordered, and what of it matters most.

    `system`: whose batches alone it is about; a page about any batch does not ask it.
    """

    model: str
    order: str
    title: str
    brief: tuple[str, ...] = ()
    system: str | None = None


REPORTS: Mapping[str, Report] = {
    "funnel": Report("lead_funnel", "client_slug, batch_key, stage_number", "Leads by stage"),
    "providers": Report(
        "provider_performance",
        "client_slug, batch_key, workflow_slug",
        "Provider performance",
        ("batch_key", "workflow_slug", "answered", "found", "failed", "found_rate", "calls", "cost", "cost_per_found"),
    ),
    "cost": Report(
        "cost_per_lead",
        "client_slug, batch_key",
        "Cost per lead",
        ("batch_key", "leads", "with_verified_email", "cost", "cost_per_lead", "cost_per_verified_email"),
    ),
    "fill-rate": Report(
        "fill_rate",
        "client_slug, batch_key, fill_rate desc, field",
        "Fill rate per column",
        ("batch_key", "field", "leads", "filled", "uploaded", "gained", "fill_rate"),
    ),
    "waterfall": Report("waterfall_contribution", "client_slug, batch_key, field, position", "Who found what"),
    "time": Report(
        "time_in_status",
        "client_slug, batch_key, position, status",
        "Time in status",
        ("batch_key", "workflow_slug", "status", "states", "median_seconds_to_reach", "p95_seconds_to_reach"),
    ),
    "freshness": Report(
        "data_freshness",
        "client_slug, batch_key, workflow_slug",
        "Data freshness",
        ("batch_key", "workflow_slug", "results", "oldest_at", "newest_at"),
    ),
    "status": Report(
        "workflow_status",
        "client_slug, batch_key, position",
        "Workflow states",
        ("batch_key", "workflow_slug", "states", "pending", "found", "not_found", "skipped", "failed", "cost"),
    ),
    "fs-discovered-today": Report(
        "fs_discovered_today", "client_slug, batch_key, industry", "Prospects discovered today", system="fs"
    ),
    "query-yield": Report(
        "query_yield",
        "client_slug, launched_at, industry, region, query",
        "What each query came to",
        ("launched_at", "query", "companies", "prospects", "grade_a", "grade_b", "cost", "cost_per_qualified"),
        system="fs",
    ),
    "fs-funnel": Report("fs_funnel", "client_slug, batch_key, status_number", "Prospects by status", system="fs"),
    "fs-hours-in-status": Report(
        "fs_hours_in_status",
        "client_slug, batch_key, status_number",
        "Hours in a status, of those not contacted",
        system="fs",
    ),
    "golf-segments": Report("golf_segments", "client_slug, batch_key, segment", "Courses by segment", system="golf"),
    "golf-opportunities": Report(
        "golf_opportunities", "client_slug, batch_key, opportunity", "Opportunities by score", system="golf"
    ),
    "golf-confidence": Report(
        "golf_confidence", "client_slug, batch_key, figure, confidence", "How sure the figures are", system="golf"
    ),
    "golf-leads": Report(
        "golf_leads_per_day",
        "client_slug, batch_key, day",
        "Courses and leads per day",
        ("batch_key", "day", "courses", "leads", "qualified_leads", "cost", "cost_per_qualified_lead"),
        system="golf",
    ),
}
"""What `enrich report NAME` knows. A name is for people; the model behind it can be queried like any other."""

OF_ANY_BATCH = [name for name, one in REPORTS.items() if one.system is None]
"""Those that a page about one batch has, whatever its system."""
