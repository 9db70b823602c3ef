-- One row per (item, field) that somebody gave a value for: where the value in final_leads comes from, how many it beat, and
-- what was given that is no value of the field. Where nothing else was given, `value` is null and the source is the rejected one's.
with shown as not materialized (

    select * exclude (priority, standing, rank, is_bad, is_shown)
    from {{ ref('lead_values') }}
    where rank = 1 and is_shown

),

-- Items whose own number is the lead's: another one has no extension of it, nor its country.
own_numbers as (

    select distinct s.batch_key, s.item_id
    from shown as s
    inner join {{ ref('lead_values') }} as u
        on u.field = 'phone' and u.source_kind = 'upload' and u.batch_key = s.batch_key and u.item_id = s.item_id
        and {{ contact_key("'phone'", 'u.value') }} = {{ contact_key("'phone'", 's.value') }}
    where s.field = 'phone'

),

chosen as (

    select s.*
    from shown as s
    left join own_numbers as o
        on o.batch_key = s.batch_key
        and o.item_id = {{ only_if("s.field in ('phone_country', 'phone_extension') and s.source_kind = 'upload'", 's.item_id') }}
    where s.field not in ('phone_country', 'phone_extension') or s.source_kind <> 'upload' or o.item_id is not null

),

rejected as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        count(*) as rejected,
        min({
            'position': position, 'source_workflow': source_workflow, 'value': value, 'reason': reason,
            'source_kind': source_kind, 'source_provider': source_provider, 'fetched_at': fetched_at
        }) as first
    from {{ ref('stg_rejected_values') }}
    where reason <> 'several'
    group by all

),

given as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        c.value,
        coalesce(c.source_kind, r.first.source_kind) as source_kind,
        case when c.source_kind is null then r.first.source_workflow else c.source_workflow end as source_workflow,
        case when c.source_kind is null then r.first.source_provider else c.source_provider end as source_provider,
        c.edited_by,
        c.confidence,
        c.verdict,
        c.said,
        c.said_by,
        c.kind,
        c.do_not_call,
        c.reused_from_batch,
        coalesce(c.fetched_at, r.first.fetched_at) as fetched_at,
        c.rule,
        coalesce(c.candidates, 0) as candidates,
        cast(coalesce(r.rejected, 0) as integer) as rejected,
        r.first.value as rejected_value,
        r.first.reason as rejected_reason
    from chosen as c
    full join rejected as r using (client_slug, batch_key, item_id, field)

)

select
    g.*,
    t.profile_version,
    cast(json_extract(r.citations, '$."' || g.field || '"') as varchar) as citations
from given as g
left join {{ source('hq', 'batch_steps') }} as t
    on t.batch_key = g.batch_key and t.workflow_slug = g.source_workflow
left join {{ source('hq', 'enrichment_results') }} as r
    on r.batch_key = g.batch_key and r.workflow_slug = g.source_workflow
    and r.item_id = {{ only_if("g.source_kind <> 'human'", 'g.item_id') }}
