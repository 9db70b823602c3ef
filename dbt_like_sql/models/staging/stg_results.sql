-- One row per (item, workflow), with the answer it ended with.
-- A company workflow has one result for all items of a company: the state names the result, never the item.
select
    s.client_slug,
    s.batch_key,
    s.item_id,
    s.workflow_slug,
    s.position,
    s.status,
    s.outcome,
    s.reason,
    s.error_class,
    s.attempts,
    s.cost,
    coalesce(r.provider, t.provider) as provider,
    t.entity,
    r.result_id,
    r.item_id <> s.item_id as is_shared,
    s.call_id,
    s.advanced_at,
    r.fetched_at,
    r.payload,
    r.fields
from {{ source('hq', 'workflow_states') }} as s
left join {{ source('hq', 'enrichment_results') }} as r
    on r.batch_key = s.batch_key and r.result_id = s.result_id
left join {{ source('hq', 'batch_steps') }} as t
    on t.batch_key = s.batch_key and t.workflow_slug = s.workflow_slug
