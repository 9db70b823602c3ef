-- How much of each column is filled, how much of that enrichment filled where the upload had nothing, and how much was given
-- that is no value of the field: it is counted beside, never as filled.
with batches as (

    select client_slug, batch_key, count(*) as leads
    from {{ source('hq', 'batch_items') }}
    group by all

),

uploaded as (

    select distinct client_slug, batch_key, item_id, field
    from {{ ref('stg_field_values') }}
    where source_kind = 'upload'

),

filled as (

    select
        p.client_slug,
        p.batch_key,
        p.field,
        count(*) as filled,
        count(u.item_id) as uploaded
    from {{ ref('final_leads_provenance') }} as p
    left join uploaded as u
        on u.client_slug = p.client_slug and u.batch_key = p.batch_key and u.item_id = p.item_id and u.field = p.field
    where p.value is not null
    group by all

),

reasons as (

    select client_slug, batch_key, field, reason, count(*) as times
    from {{ ref('stg_rejected_values') }}
    where reason <> 'several'
    group by all

),

rejected as (

    select
        client_slug,
        batch_key,
        field,
        cast(sum(times) as bigint) as rejected,
        min({'times': -times, 'reason': reason}).reason as rejected_reason
    from reasons
    group by all

),

fields as (

    select
        client_slug,
        batch_key,
        field,
        coalesce(f.filled, 0) as filled,
        coalesce(f.uploaded, 0) as uploaded,
        coalesce(r.rejected, 0) as rejected,
        r.rejected_reason
    from filled as f
    full join rejected as r using (client_slug, batch_key, field)

)

select
    b.client_slug,
    b.batch_key,
    f.field,
    b.leads,
    f.filled,
    f.uploaded,
    f.filled - f.uploaded as gained,
    f.filled / b.leads as fill_rate,
    f.uploaded / b.leads as fill_rate_before,
    f.rejected,
    f.rejected_reason
from fields as f
inner join batches as b on b.client_slug = f.client_slug and b.batch_key = f.batch_key
