-- One row per (item, field, who gave it) of what is no value of its field: candidates that do not compete, with the reason.
-- `others` are further values of the same cell or answer: the second address of `a@acme.com; b@acme.com`.
with cells as (

    select
        i.client_slug,
        i.batch_key,
        i.item_id,
        case when i.parent_item_id is null then 'upload' else 'workflow' end as source_kind,
        s.workflow_slug,
        s.provider,
        coalesce(s.position, -1) as position,
        i.created_at as fetched_at,
        i.rejected
    from {{ source('hq', 'batch_items') }} as i
    left join {{ source('hq', 'batch_steps') }} as s
        on s.batch_key = i.batch_key
        and s.workflow_slug = {{ only_if('i.parent_item_id is not null', "split_part(i.origin_key, ':', 1)") }}
    where i.rejected is not null

),

together as (

    select *, unnest(map_entries(cast(cast(rejected as json) as map(varchar, varchar)))) as e from cells
    union all
    select client_slug, batch_key, item_id, 'workflow', workflow_slug, provider, position, fetched_at, rejected,
        unnest(map_entries(cast(cast(rejected as json) as map(varchar, varchar))))
    from {{ ref('stg_answers') }}
    where rejected is not null

),

read as (

    select *, from_json(e.value, '{"value":"VARCHAR","reason":"VARCHAR","others":"VARCHAR"}') as r from together

)

select
    client_slug,
    batch_key,
    item_id,
    e.key as field,
    r.value as value,
    r.reason as reason,
    r.others as others,
    source_kind,
    workflow_slug as source_workflow,
    provider as source_provider,
    cast(position as integer) as position,
    fetched_at
from read
