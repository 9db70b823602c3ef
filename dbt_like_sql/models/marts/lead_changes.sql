-- What a freshness batch found changed: one row per lead and field, with who said so and when. `field` is a field of the lead,
-- `is_active`, or `replacement`: who was found at the company in place of somebody who left it. A lead that stands as it
-- was has no row.
with compared as (

    select client_slug, batch_key, item_id, fetched_at, payload, fields
    from {{ ref('stg_results') }}
    where workflow_slug = 'compare-with-known' and outcome = 'found'

),

rows_of as (

    select
        i.client_slug,
        i.batch_key,
        i.item_id,
        coalesce(i.full_name, nullif(trim(concat_ws(' ', i.first_name, i.last_name)), ''), i.email) as lead,
        json_extract_string(i.original_data, '$.freshness_leads') as leads
    from {{ source('hq', 'batch_items') }} as i
    where i.parent_item_id is null

),

fields as (

    select
        c.client_slug,
        c.batch_key,
        c.item_id,
        unnest(from_json(json_extract(c.payload, '$.changes'), '[{"field": "VARCHAR", "old": "VARCHAR", "new": "VARCHAR", "workflow": "VARCHAR"}]')) as change
    from compared as c

),

answered as (

    select batch_key, item_id, workflow_slug, provider, fetched_at
    from {{ ref('stg_results') }}
    where result_id is not null

),

all_changes as (

    select client_slug, batch_key, item_id, change.field as field, change.old as old_value, change.new as new_value,
        change.workflow as source_workflow
    from fields
    union all
    select client_slug, batch_key, item_id, 'is_active', 'true', 'false', 'compare-with-known'
    from compared
    where json_extract_string(fields, '$.is_active') = 'false'
    union all
    select p.client_slug, p.batch_key, p.item_id, 'replacement', p.lead,
        coalesce(k.full_name, nullif(trim(concat_ws(' ', k.first_name, k.last_name)), ''), k.email), 'choose-replacement'
    from rows_of as p
    inner join {{ source('hq', 'batch_items') }} as k on k.batch_key = p.batch_key and k.parent_item_id = p.item_id

)

select
    a.client_slug,
    a.batch_key,
    a.item_id,
    r.lead,
    r.leads as lead_items,
    a.field,
    a.old_value,
    a.new_value,
    w.fetched_at as seen_at,
    a.source_workflow,
    w.provider as source_provider
from all_changes as a
inner join rows_of as r on r.batch_key = a.batch_key and r.item_id = a.item_id
left join answered as w
    on w.batch_key = a.batch_key and w.item_id = a.item_id and w.workflow_slug = a.source_workflow
order by a.batch_key, a.item_id, a.field
