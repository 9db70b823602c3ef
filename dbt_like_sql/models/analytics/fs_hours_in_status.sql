-- How long prospects that were not contacted have been where they are.
with waiting as (

    select
        client_slug,
        batch_key,
        status,
        case status
            when 'personalized' then 5 when 'qualified' then 4 when 'researched' then 3 when 'enriched' then 2 else 1
        end as status_number,
        discovered_at,
        case status
            when 'personalized' then personalized_at
            when 'qualified' then qualified_at
            when 'researched' then intelligence_collected_at
            when 'enriched' then enriched_at
            else discovered_at
        end as since
    from {{ ref('fs_prospect_records') }}
    where status <> 'contacted'

)

select
    client_slug,
    batch_key,
    status_number,
    status,
    count(*) as prospects,
    avg(date_diff('second', since, now()) / 3600) as average_hours_in_status,
    avg(date_diff('second', discovered_at, now()) / 3600) as average_hours_since_discovery
from waiting
group by all
