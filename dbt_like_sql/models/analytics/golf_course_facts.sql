-- One row per course of a batch, whatever number of rows it has there: what it was assessed as, its contacts and what it cost.
with courses as (

    select
        client_slug,
        batch_key,
        coalesce(company_key, cast(item_id as varchar)) as course,
        min(item_id) as item_id,
        max(json_extract_string(other_fields, '$.segment')) as segment,
        max(try_cast(json_extract_string(other_fields, '$.segment_confidence') as integer)) as segment_confidence,
        max(try_cast(json_extract_string(other_fields, '$.water_hazard_confidence') as integer)) as water_hazard_confidence,
        max(json_extract_string(other_fields, '$.top_opportunity')) as top_opportunity,
        max(try_cast(json_extract_string(other_fields, '$.top_opportunity_score') as integer)) as top_opportunity_score,
        max(json_extract_string(other_fields, '$.opportunities')) as opportunities,
        sum(cost) as cost,
        bool_and(is_finished) as is_finished,
        max(last_advanced_at) as last_advanced_at
    from {{ ref('final_leads') }}
    where parent_item_id is null
    group by all

),

contacts as (

    select
        batch_key,
        coalesce(company_key, cast(parent_item_id as varchar)) as course,
        count(*) as contacts,
        count(*) filter (where coalesce(email, phone) is not null) as reachable,
        sum(cost) as cost,
        bool_and(is_finished) as is_finished,
        max(last_advanced_at) as last_advanced_at
    from {{ ref('final_leads') }}
    where parent_item_id is not null
    group by all

)

select
    c.client_slug,
    c.batch_key,
    c.item_id,
    c.segment,
    c.segment_confidence,
    c.water_hazard_confidence,
    c.top_opportunity,
    c.top_opportunity_score,
    c.opportunities,
    coalesce(p.contacts, 0) as contacts,
    coalesce(p.reachable, 0) as reachable_contacts,
    case when c.top_opportunity_score >= 7 then coalesce(p.reachable, 0) else 0 end as qualified_leads,
    cast(c.cost + coalesce(p.cost, 0) as decimal(18, 6)) as cost,
    c.is_finished and coalesce(p.is_finished, true) as is_finished,
    greatest(c.last_advanced_at, p.last_advanced_at) as last_advanced_at
from courses as c
left join contacts as p on p.batch_key = c.batch_key and p.course = c.course
