-- How old the answers are that a batch is made of.
select
    client_slug,
    batch_key,
    workflow_slug,
    max(provider) as provider,
    count(*) as results,
    min(fetched_at) as oldest_at,
    max(fetched_at) as newest_at,
    quantile_cont(date_diff('day', fetched_at, current_timestamp), 0.5) as median_age_days,
    count(*) filter (where fetched_at < current_timestamp - interval 90 days) as older_than_90_days
from {{ ref('stg_results') }}
where fetched_at is not null
group by client_slug, batch_key, workflow_slug
