{{ config(materialized='table') }}
-- Every candidate value, ranked: rank 1 is what final_leads shows, where it may be shown.
-- Order: a person's correction first, a value whose verdict forbids it last; for phones the phone policy
-- (seeds/phone_policy.csv); then the merge policy (seeds/merge_policy.csv): the column's own rules before those for `*`, the
-- lower priority; then the surer, the later step, the provider's own order, the value. When an answer arrived plays no part.
-- A rule whose confidence or age a value does not meet does not count for that value. Ages count at the batch's launch: a
-- value that a request used is not another one when the table is made, be that a year later.
with candidates as (

    select
        f.*,
        coalesce(f.verdict = 'valid', false) as is_verified,
        coalesce(d.is_bad, false) as is_bad,
        coalesce(d.is_shown, true) as is_shown,
        least(own.standing, every.standing) as standing
    from {{ ref('stg_field_values') }} as f
    left join {{ ref('value_verdicts') }} as d on d.verdict = f.verdict
    left join {{ ref('phone_policy') }} as own on f.field = 'phone' and own.type = f.kind and own.verdict = f.verdict
    left join {{ ref('phone_policy') }} as every on f.field = 'phone' and every.type = f.kind and every.verdict = '*'

),

kinds as (

    select distinct field, source_kind, source_workflow, source_provider, is_verified from candidates

),

rules as (

    select
        k.*,
        p.column_name,
        p.source as rule_source,
        p.priority,
        p.min_confidence,
        p.max_age_days
    from kinds as k
    inner join {{ ref('merge_policy') }} as p
        on p.column_name in (k.field, '*')
        and (
            p.source in (k.source_kind, k.source_workflow, k.source_provider)
            or (p.source = 'verified' and k.is_verified)
        )

),

ruled as (

    select
        c.* exclude (is_verified),
        min(
            case
                when r.priority is null then {'specific': 2, 'priority': 1000, 'rule': 'no rule'}
                else {
                    'specific': cast(r.column_name = '*' as integer),
                    'priority': r.priority,
                    'rule': r.column_name || ' from ' || r.rule_source
                }
            end
        ) as best
    from candidates as c
    inner join {{ source('hq', 'batches') }} as b on b.batch_key = c.batch_key
    left join rules as r
        on r.field = c.field
        and r.source_kind = c.source_kind
        and r.source_workflow is not distinct from c.source_workflow
        and r.source_provider is not distinct from c.source_provider
        and r.is_verified = c.is_verified
        and (r.min_confidence is null or c.confidence >= r.min_confidence)
        and (r.max_age_days is null or c.fetched_at >= b.launched_at - to_hours(24 * r.max_age_days))
    group by all

)

select
    client_slug,
    batch_key,
    item_id,
    field,
    value,
    source_kind,
    source_workflow,
    source_provider,
    edited_by,
    confidence,
    verdict,
    said,
    said_by,
    kind,
    do_not_call,
    reused_from_batch,
    fetched_at,
    best.rule as rule,
    cast(best.priority as integer) as priority,
    cast(standing as integer) as standing,
    is_bad,
    is_shown,
    cast(row_number() over (
        partition by batch_key, item_id, field
        order by
            source_kind <> 'human',
            is_bad,
            standing nulls last,
            best.specific,
            best.priority,
            confidence desc nulls last,
            position desc,
            record_rank nulls last,
            value,
            source_workflow
    ) as integer) as rank,
    cast(count(*) over (partition by batch_key, item_id, field) as integer) as candidates
from ruled
