-- What a lead cost, and what a lead that can be written to cost.
select
    client_slug,
    batch_key,
    count(*) as leads,
    count(*) filter (where is_finished) as finished,
    count(*) filter (where email is not null) as with_email,
    count(*) filter (where email_status = 'valid') as with_verified_email,
    count(*) filter (where phone is not null) as with_phone,
    cast(sum(l.cost) as decimal(18, 6)) as cost,
    cast(sum(l.cost) / nullif(count(*), 0) as double) as cost_per_lead,
    cast(sum(l.cost) / nullif(count(*) filter (where email is not null), 0) as double) as cost_per_email,
    cast(sum(l.cost) / nullif(count(*) filter (where email_status = 'valid'), 0) as double)
        as cost_per_verified_email
from {{ ref('final_leads') }} as l
group by client_slug, batch_key
