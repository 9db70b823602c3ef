-- How long states took to get where they are since the batch was launched, and how long open ones have been waiting.
select
    s.client_slug,
    s.batch_key,
    s.position,
    s.workflow_slug,
    s.status,
    count(*) as states,
    quantile_cont(date_diff('second', b.launched_at, s.advanced_at), 0.5) as median_seconds_to_reach,
    quantile_cont(date_diff('second', b.launched_at, s.advanced_at), 0.95) as p95_seconds_to_reach,
    min(s.advanced_at) as first_at,
    max(s.advanced_at) as last_at,
    min(s.deadline_at) filter (where s.status = 'IN_PROGRESS') as next_deadline_at
from {{ source('hq', 'workflow_states') }} as s
inner join {{ source('hq', 'batches') }} as b on b.client_slug = s.client_slug and b.batch_key = s.batch_key
group by s.client_slug, s.batch_key, s.position, s.workflow_slug, s.status
