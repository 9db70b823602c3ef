-- How many prospects stand where, and their share of all of the batch; a status at which none stands has a row, too.
with statuses as (

    select *
    from (values (1, 'discovered'), (2, 'enriched'), (3, 'researched'), (4, 'qualified'), (5, 'personalized'), (6, 'contacted'))
        as s (status_number, status)

),

counted as (

    select b.client_slug, b.batch_key, s.status_number, s.status, count(r.item_id) as prospects
    from (select distinct client_slug, batch_key from {{ ref('fs_prospect_records') }}) as b
    cross join statuses as s
    left join {{ ref('fs_prospect_records') }} as r
        on r.client_slug = b.client_slug and r.batch_key = b.batch_key and r.status = s.status
    group by all

)

select
    client_slug,
    batch_key,
    status_number,
    status,
    prospects,
    prospects / nullif(sum(prospects) over (partition by client_slug, batch_key), 0) as share,
    cast(sum(prospects) over (
        partition by client_slug, batch_key order by status_number desc rows unbounded preceding
    ) as bigint) as reached
from counted
