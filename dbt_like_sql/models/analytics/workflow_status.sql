-- Where the states of each workflow stand: all statuses and outcomes apart, because a miss is not an error.
select
    client_slug,
    batch_key,
    position,
    workflow_slug,
    count(*) as states,
    count(*) filter (where status = 'PENDING') as pending,
    count(*) filter (where status = 'IN_PROGRESS') as in_progress,
    count(*) filter (where outcome = 'found') as found,
    count(*) filter (where outcome = 'not_found') as not_found,
    count(*) filter (where status = 'SKIPPED') as skipped,
    count(*) filter (where status = 'FAILED') as failed,
    count(*) filter (where status = 'AMBIGUOUS') as ambiguous,
    count(*) filter (where status = 'CANCELLED') as cancelled,
    cast(sum(cost) as decimal(18, 6)) as cost
from {{ source('hq', 'workflow_states') }}
group by client_slug, batch_key, position, workflow_slug
