"""The questions of a dashboard, to the models of the named reports: each summed over the chosen batches.

Half and 95 % are of one batch in the models, and cannot be summed: over several batches the middle one of the halves
and the slowest of the 95 % are given.
"""

from __future__ import annotations

from collections.abc import Mapping

CHOSEN = """
    select batch_key from hq.batches
    where ($batch is null or batch_key = $batch) and ($since is null or launched_at >= $since)
      and ($until is null or launched_at < $until)
"""
"""Keys of the batches; which clients' they are is the connection's."""

_IN = f"batch_key in ({CHOSEN})"
_FIRST = "field in ('email', 'phone', 'linkedin_url', 'title')"

QUESTIONS: Mapping[str, str] = {
    "funnel": f"""
        select stage, sum(leads)::bigint as leads, sum(leads) / max(sum(leads)) over () as share
        from lead_funnel where {_IN} group by stage_number, stage order by stage_number
    """,
    "providers": f"""
        select workflow_slug as workflow, max(provider) as provider, sum(answered)::bigint as answered,
               sum(found)::bigint as found, sum(not_found)::bigint as not_found, sum(failed)::bigint as failed,
               sum(ambiguous)::bigint as ambiguous, sum(found) / nullif(sum(answered), 0) as found_rate,
               sum(calls)::bigint as calls, median(p50_ms) as p50_ms, max(p95_ms) as p95_ms
        from provider_performance where {_IN} and provider is distinct from 'local'
        group by workflow_slug order by workflow_slug
    """,
    "costs": f"""
        select batch_key, workflow_slug, found::bigint as found, cost
        from provider_performance where {_IN} and cost > 0 order by batch_key, workflow_slug
    """,
    "errors": f"""
        select workflow_slug as workflow, error_class, count(*) as errors
        from hq.enrichment_results_log where {_IN} and error_class is not null
        group by all order by errors desc, workflow_slug, error_class
    """,
    "leads": f"""
        select c.batch_key, c.leads, c.with_verified_email, c.cost, c.cost_per_lead, c.cost_per_verified_email
        from cost_per_lead c join hq.batches b on b.batch_key = c.batch_key
        where c.{_IN} order by b.launched_at desc
    """,
    "fill": f"""
        select field, sum(leads)::bigint as leads, sum(uploaded)::bigint as uploaded, sum(gained)::bigint as gained,
               sum(filled) / nullif(sum(leads), 0) as fill_rate
        from fill_rate where {_IN} group by field
        order by {_FIRST} desc, fill_rate desc, field
    """,
    "waterfall": f"""
        select field, source, min(position) as position, sum(asked)::bigint as asked, sum(gave)::bigint as gave,
               sum(gave_first)::bigint as gave_first, sum(won)::bigint as won,
               count(*) over (partition by field) as sources
        from waterfall_contribution where {_IN} group by field, source
        order by {_FIRST} desc, field, position, source
    """,
    "time": f"""
        select workflow_slug as workflow, sum(states)::bigint as states, min(position) as position,
               median(median_seconds_to_reach) as half_seconds, max(p95_seconds_to_reach) as most_seconds
        from time_in_status where {_IN} and status = 'COMPLETED' group by workflow_slug order by position, workflow_slug
    """,
    "yield": f"""
        select query, sum(companies)::bigint as companies, sum(prospects)::bigint as prospects,
               sum(grade_a)::bigint as grade_a, sum(grade_b)::bigint as grade_b
        from query_yield where {_IN} group by query order by sum(grade_a) + sum(grade_b) desc, query
    """,
}
"""Key -> SQL, with the parameters $batch, $since and $until."""
