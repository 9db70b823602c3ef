{{ config(materialized='table') }}
-- Every candidate value, ranked: rank 1 is what final_leads shows, where it may be shown.
-- Order: a person's correction first, a value whose verdict forbids it last; for phones the phone policy
-- (seeds/phone_policy.csv); then the merge policy (seeds/merge_policy.csv): the column's own rules before those for `*`, the
-- lower priority; then the surer, the later step, the provider's own order, the value. When an answer arrived plays no part.
-- A rule whose confidence or age a value does not meet does not count for that value. Ages count at the batch's launch: a
-- value that a request used is not another one when the table is made, be that a year later.
with candidates as not materialized (

    select
        f.*,
        coalesce(f.verdict = 'valid', false) as is_verified,
        coalesce(d.is_bad, false) as is_bad,
        coalesce(d.is_shown, true) as is_shown,
        least(own.standing, every.standing) as standing
    from {{ ref('stg_field_values') }} as f
    left join {{ ref('value_verdicts') }} as d on d.verdict = f.verdict
    left join {{ ref('phone_policy') }} as own
        on own.verdict = f.verdict and own.type = {{ only_if("f.field = 'phone'", 'f.kind') }}
    left join {{ ref('phone_policy') }} as every
        on every.verdict = '*' and every.type = {{ only_if("f.field = 'phone'", 'f.kind') }}

),

kinds as (

    select distinct field, source_kind, source_workflow, source_provider, is_verified from candidates

),

-- The rules that such a value can have, the best first: kinds are few, values many.
listed_rules as (

    select
        k.*,
        list(
            {
                'specific': cast(p.column_name = '*' as integer), 'priority': p.priority, 'rule': p.column_name || ' from ' || p.source,
                'min_confidence': p.min_confidence, 'max_age_days': p.max_age_days
            }
            order by p.column_name = '*', p.priority, p.column_name || ' from ' || p.source
        ) as listed
    from kinds as k
    inner join {{ ref('merge_policy') }} as p
        on p.column_name in (k.field, '*')
        and (
            p.source in (k.source_kind, k.source_workflow, k.source_provider)
            or (p.source = 'verified' and k.is_verified)
        )
    group by all

),

-- Where the best asks for nothing, nothing is looked at for each value.
rules as (

    select *, case when listed[1].min_confidence is null and listed[1].max_age_days is null then listed[1] end as certain
    from listed_rules

),

ruled as not materialized (

    select
        c.* exclude (is_verified),
        coalesce(
            r.certain,
            list_filter(
                r.listed,
                lambda x: (x.min_confidence is null or coalesce(c.confidence >= x.min_confidence, false))
                    and (x.max_age_days is null or coalesce(c.fetched_at >= b.launched_at - to_hours(24 * x.max_age_days), false))
            )[1],
            {'specific': 2, 'priority': 1000, 'rule': 'no rule', 'min_confidence': null, 'max_age_days': null}
        ) as best
    from candidates as c
    inner join {{ source('hq', 'batches') }} as b on b.batch_key = c.batch_key
    left join rules as r
        on r.field = c.field
        and r.source_kind = c.source_kind
        and r.source_workflow is not distinct from c.source_workflow
        and r.source_provider is not distinct from c.source_provider
        and r.is_verified = c.is_verified

),

-- Most values are their field's only one: putting those in an order would be most of the work, and of its memory.
rivals as (

    select batch_key, item_id, field, count(*) as candidates
    from candidates
    group by batch_key, item_id, field
    having count(*) > 1

),

ranked as (

    select *, 1 as rank, 1 as candidates
    from ruled
    anti join rivals using (batch_key, item_id, field)
    union all
    select
        r.*,
        row_number() over (
            partition by r.batch_key, r.item_id, r.field
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
        ),
        v.candidates
    from ruled as r
    inner join rivals as v on v.batch_key = r.batch_key and v.item_id = r.item_id and v.field = r.field

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
    cast(rank as integer) as rank,
    cast(candidates as integer) as candidates
from ranked
