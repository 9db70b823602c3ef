-- What each day (UTC) brought: courses that were done, their contacts, and what a qualified lead cost.
select
    client_slug,
    batch_key,
    cast(last_advanced_at at time zone 'UTC' as date) as day,
    count(*) as courses,
    cast(sum(contacts) as bigint) as leads,
    cast(sum(reachable_contacts) as bigint) as reachable_leads,
    cast(sum(qualified_leads) as bigint) as qualified_leads,
    cast(sum(cost) as decimal(18, 6)) as cost,
    cast(sum(cost) / nullif(count(*), 0) as double) as cost_per_course,
    cast(sum(cost) / nullif(sum(qualified_leads), 0) as double) as cost_per_qualified_lead
from {{ ref('golf_course_facts') }}
where is_finished
group by all
