"""Named reports, as the command line prints them: the same models, as tables with bars for shares."""

from __future__ import annotations

from itertools import islice

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.services.insight.named_reports import REPORTS
from enrichment_assets.services.insight.queries import ask, report_query
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.console.views import Shown, View

_ROWS = 500
_SHARES = ("_rate", "_share", "share_of_all")


def show(call: Call) -> Shown:
    """One report over the batches of a client, or of all."""
    call.checked("report", "batch", "said")
    name, batch = call.query.get("report") or "funnel", call.query.get("batch") or None
    if name not in REPORTS:
        raise NotFoundError(f"there is no report {name[:80]!r}: {instead(name, REPORTS)}", code="report.not_found")
    query, parameters = report_query(name, batch)
    with ask(call.hq, call.settings, query, parameters, client=call.client) as answer:
        columns, rows = list(answer.columns), list(islice(answer.rows(), call.rows(_ROWS)))
    context = {
        "reports": REPORTS,
        "name": name,
        "columns": columns,
        "rows": rows,
        "shares": [place for place, column in enumerate(columns) if column.endswith(_SHARES)],
        "most": _ROWS,
        "batch": batch,
        "client": call.client,
    }
    return View("reports.html", REPORTS[name].title, context)
