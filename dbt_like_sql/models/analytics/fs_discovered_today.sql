-- Prospects that were discovered today (UTC), by batch and industry.
select
    client_slug,
    batch_key,
    industry,
    count(*) as prospects,
    count(email) as with_email,
    min(discovered_at) as first_at,
    max(discovered_at) as last_at
from {{ ref('fs_prospect_records') }}
where cast(discovered_at at time zone 'UTC' as date) = cast(now() at time zone 'UTC' as date)
group by all
