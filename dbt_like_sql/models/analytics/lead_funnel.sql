-- How many leads of a batch reached each stage. Which stage a workflow's finding means is a field of the workflow (`stage`);
-- one that does not say is placed by its slug (seeds/funnel_stages.csv), unless it is local. Whatever an outside provider
-- found is `enriched` too.
with steps as (

    select
        batch_key,
        workflow_slug,
        stage,
        provider is distinct from 'local' as is_outside
    from {{ source('hq', 'batch_steps') }}

),

stages as (

    select distinct
        w.batch_key,
        w.workflow_slug,
        s.stage_number
    from steps as w
    inner join {{ ref('funnel_stages') }} as s
        on s.stage = w.stage
        or (w.is_outside and s.stage = 'enriched')
        or (w.is_outside and w.stage is null and regexp_matches(w.workflow_slug, s.workflow_pattern))

),

reached as (

    select
        r.client_slug,
        r.batch_key,
        s.stage_number,
        count(distinct r.item_id) as leads
    from {{ source('hq', 'workflow_states') }} as r
    inner join stages as s on s.batch_key = r.batch_key and s.workflow_slug = r.workflow_slug
    where r.outcome = 'found'
    group by all

),

batches as (

    select client_slug, batch_key, count(*) as leads
    from {{ source('hq', 'batch_items') }}
    group by all

),

counted as (

    select
        b.client_slug,
        b.batch_key,
        s.stage_number,
        s.stage,
        b.leads as all_leads,
        case when s.workflow_pattern is null then b.leads else coalesce(r.leads, 0) end as leads
    from batches as b
    cross join {{ ref('funnel_stages') }} as s
    left join reached as r
        on r.client_slug = b.client_slug and r.batch_key = b.batch_key and r.stage_number = s.stage_number

)

select
    client_slug,
    batch_key,
    stage_number,
    stage,
    leads,
    leads / nullif(all_leads, 0) as share_of_all,
    leads / nullif(lag(leads) over (partition by client_slug, batch_key order by stage_number), 0) as share_of_previous
from counted
