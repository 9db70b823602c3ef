-- One row per (item, workflow) that ended with an answer, or is asked anew and had one, with the answer itself. Narrow states on purpose: they are what
-- the join holds in memory, while the answers stream by, whatever their number and size.
select
    r.client_slug,
    r.batch_key,
    s.item_id,
    s.workflow_slug,
    s.position,
    r.provider,
    {{ id_namespace('t.id_namespace', 'r.provider', 's.workflow_slug') }} as id_namespace,
    r.result_id,
    c.reused_from_batch,
    r.fetched_at,
    r.payload,
    r.fields,
    r.rejected
from {{ source('hq', 'enrichment_results') }} as r
inner join (
    select batch_key, item_id, workflow_slug, position, result_id
    from {{ source('hq', 'workflow_states') }}
    where result_id is not null
) as s
    on s.batch_key = r.batch_key and s.result_id = r.result_id
left join {{ source('hq', 'batch_steps') }} as t
    on t.batch_key = s.batch_key and t.workflow_slug = s.workflow_slug
left join (
    select batch_key, call_id, reused_from_batch
    from {{ source('hq', 'provider_calls') }}
    where reused_from is not null
) as c
    on c.batch_key = r.batch_key and c.call_id = r.call_id
