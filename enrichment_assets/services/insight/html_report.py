"""`enrich report BATCH --html`: one page about one batch, fit to be sent to a client.

Everything is in the file (styles, charts as SVG), nothing is loaded from anywhere, and no person is named in it but
by a draft that greets its reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader

from enrichment_assets.services.insight import report_charts as charts
from enrichment_assets.services.insight.report_drafts import judgement
from enrichment_assets.services.insight.target_files import checked_target, note_written
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import put_in_place

TEMPLATES = Path(__file__).parent / "templates"
GREEN, AMBER, RED, GREY, BLUE, INDIGO = "#2f9e77", "#e0a030", "#c8504b", "#b8bfca", "#3b6fb6", "#4f5bd5"
BEFORE, AFTER = "#9db4d6", "#2f9e77"
SKIPPED, SLOWEST = "var(--skipped)", "#b9cbe6"
FIELDS_SHOWN = 24
_PALETTE = ("#4f5bd5", "#2f9e77", "#e0a030", "#3b6fb6", "#a8588f", "#6b8f3c", "#c8504b", "#5f6b7a")

Rows = list[dict[str, Any]]


def write_report(hq: Hq, settings: Settings, batch_key: str, target: Path) -> None:
    """Write the page about one batch; it takes its place whole, and where it is, is noted.

    Raises:
        NotFoundError: The batch was not extracted.
    """
    path = checked_target(target)
    with put_in_place(path) as unfinished:
        unfinished.write_text(render_report(settings, batch_key), encoding="utf-8")
        note_written(hq, "report", batch_key, path)


def render_report(settings: Settings, batch_key: str) -> str:
    """The page as text."""
    client = brought(settings, batch_key=batch_key).client_of(batch_key)
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key)
    try:
        facts = _facts(connection)
    finally:
        connection.close()
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return environment.get_template("report.html").render(
        **facts,
        made_at=datetime.now(UTC),
        charts=_charts(facts),
        batch_key=batch_key,
        counted=counted,
        fields_left_out=max(len(facts["fill"]) - FIELDS_SHOWN, 0),
    )


def _facts(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    def rows(query: str) -> Rows:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    history = (
        "select count(*) as jobs, count(distinct item_id) as people, count(distinct organisation_key) as organisations"
    )
    return {
        "batch": rows("select * from hq.batches")[0],
        "cost": (rows("select * from cost_per_lead") or [dict.fromkeys(_COST_COLUMNS, 0)])[0],
        "history": rows(f"{history} from person_work_history")[0],
        "rejected": rows("select count(*) as n from hq.upload_rejections")[0]["n"],
        "funnel": rows("select * from lead_funnel order by stage_number"),
        "workflows": rows("select * from workflow_status order by position"),
        "providers": rows(_IN_ORDER.format("provider_performance")),
        "fill": rows(
            "select * from fill_rate where field in (select column_name from (describe final_leads)) "
            "order by gained desc, fill_rate desc, field"
        ),
        "waterfall": rows(
            "select * from waterfall_contribution where field in ('email', 'phone', 'linkedin_url', 'title', "
            "'company_domain', 'industry') order by field, position"
        ),
        "freshness": rows(_IN_ORDER.format("data_freshness")),
        "judgement": judgement(connection),
    }


_IN_ORDER = (
    "select p.* from {} as p left join workflow_status as s using (batch_key, workflow_slug) "
    "order by s.position, workflow_slug"
)


_COST_COLUMNS = (
    "leads", "finished", "with_email", "with_verified_email", "with_phone", "cost", "cost_per_lead", "cost_per_email",
    "cost_per_verified_email",
)  # fmt: skip


def _charts(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "funnel": charts.funnel(
            [(s["stage"], s["leads"], s["share_of_all"] or 0) for s in facts["funnel"]],
            colour=INDIGO,
            about="Leads by stage",
        ),
        "workflows": _workflow_chart(facts["workflows"]),
        "fill": charts.paired_bars(
            [
                (
                    r["field"],
                    r["fill_rate_before"],
                    r["fill_rate"],
                    f"{r['fill_rate_before']:.0%} → {r['fill_rate']:.0%}",
                )
                for r in facts["fill"][:FIELDS_SHOWN]
            ],
            legend=[("in the upload", BEFORE), ("added by enrichment", AFTER)],
            full=1,
            about="Share of leads with a value, before and after",
        ),
        "cost": _cost_chart(facts["providers"]),
        "latency": _latency_chart(facts["providers"]),
        "waterfall": _waterfall_chart(facts["waterfall"]),
        "grades": _grade_chart(facts["judgement"].grades),
    }


def _grade_chart(grades: Mapping[str, int]) -> Any:
    return charts.bars(
        [
            charts.Row(
                f"Grade {grade}", [charts.Segment(counted(leads, "lead"), leads, _of_grade(grade))], f"{leads:,}"
            )
            for grade, leads in grades.items()
        ],
        about="Leads by grade",
    )


def _of_grade(grade: str) -> str:
    return {"A": GREEN, "B": GREEN, "C": AMBER}.get(grade, GREY)


def _workflow_chart(rows: Rows) -> Any:
    return charts.bars(
        [
            charts.Row(
                r["workflow_slug"],
                [
                    charts.Segment(f"{r['found']} found", r["found"], GREEN),
                    charts.Segment(f"{r['not_found']} without a find", r["not_found"], GREY),
                    charts.Segment(f"{r['skipped']} skipped", r["skipped"], SKIPPED),
                    charts.Segment(f"{r['cancelled']} cancelled", r["cancelled"], SKIPPED),
                    charts.Segment(f"{r['failed'] + r['ambiguous']} failed", r["failed"] + r["ambiguous"], RED),
                    charts.Segment(f"{r['pending'] + r['in_progress']} open", r["pending"] + r["in_progress"], AMBER),
                ],
                f"{r['found']:,} of {r['states']:,}",
            )
            for r in rows
        ],
        about="Outcome of each workflow",
        legend=[
            ("found", GREEN),
            ("nothing found", GREY),
            ("skipped or cancelled", SKIPPED),
            ("failed or unclear", RED),
            ("open", AMBER),
        ],
    )


def _cost_chart(rows: Rows) -> Any:
    spent: dict[str, float] = {}
    for row in rows:
        spent[row["provider"] or "local"] = spent.get(row["provider"] or "local", 0) + float(row["cost"])
    ordered = sorted(((name, cost) for name, cost in spent.items() if cost), key=lambda pair: -pair[1])
    return charts.bars(
        [charts.Row(name, [charts.Segment(f"${cost:,.2f}", cost, INDIGO)], f"${cost:,.2f}") for name, cost in ordered],
        about="Cost by provider",
    )


def _latency_chart(rows: Rows) -> Any:
    timed = [r for r in rows if r["p50_ms"] is not None]
    return charts.bars(
        [
            charts.Row(
                r["workflow_slug"],
                [
                    charts.Segment("median", r["p50_ms"], BLUE),
                    charts.Segment("95th percentile", max(r["p95_ms"] - r["p50_ms"], 0), SLOWEST),
                ],
                f"{_duration(r['p50_ms'])} / {_duration(r['p95_ms'])}",
            )
            for r in timed
        ],
        about="Time to the answer",
        legend=[("median", BLUE), ("95th percentile", SLOWEST)],
    )


def _waterfall_chart(rows: Rows) -> Any:
    """For each field, who gave a value where nobody before had one."""
    sources = list(dict.fromkeys(r["source"] for r in sorted(rows, key=lambda r: r["position"])))
    colour = {source: _PALETTE[place % len(_PALETTE)] for place, source in enumerate(sources)}
    fields: dict[str, Rows] = {}
    for row in rows:
        fields.setdefault(row["field"], []).append(row)
    return charts.bars(
        [
            charts.Row(
                field,
                [
                    charts.Segment(f"{r['gave_first']} first from {r['source']}", r["gave_first"], colour[r["source"]])
                    for r in given
                ],
                counted(sum(r["gave_first"] for r in given), "lead"),
            )
            for field, given in fields.items()
        ],
        about="Who was first to give a value",
        legend=list(colour.items()),
    )


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 lead`, `1,234 leads`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _duration(milliseconds: float) -> str:
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 120_000:
        return f"{milliseconds / 1_000:.1f} s"
    return f"{milliseconds / 60_000:.0f} min"
