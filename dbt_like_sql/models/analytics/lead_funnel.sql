-- How many leads of a batch reached each stage. Stages are data (seeds/funnel_stages.csv).
with stages as (

    select
        w.workflow_slug,
        s.stage_number
    from (select distinct workflow_slug from {{ ref('stg_results') }}) as w
    inner join {{ ref('funnel_stages') }} as s on regexp_matches(w.workflow_slug, s.workflow_pattern)

),

reached as (

    select
        r.client_slug,
        r.batch_key,
        s.stage_number,
        count(distinct r.item_id) as leads
    from {{ ref('stg_results') }} as r
    inner join stages as s on s.workflow_slug = r.workflow_slug
    where r.outcome = 'found' and r.provider is distinct from 'local'
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
