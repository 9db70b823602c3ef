-- For each field: who was asked, who gave a value, who gave it where nobody before had one, and whose value won.
with given as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        position,
        coalesce(source_workflow, source_kind) as source,
        position = min(position) over (partition by client_slug, batch_key, item_id, field) as is_first
    from {{ ref('stg_field_values') }}
    where value is not null and verdict is distinct from 'placeholder'

),

won as (

    select client_slug, batch_key, field, coalesce(source_workflow, source_kind) as source, count(*) as won
    from {{ ref('final_leads_provenance') }}
    where candidates > 0
    group by all

),

asked as (

    select client_slug, batch_key, workflow_slug as source, count(*) filter (where outcome is not null) as asked
    from {{ source('hq', 'workflow_states') }}
    group by all

),

counted as (

    select
        client_slug,
        batch_key,
        field,
        source,
        min(position) as position,
        count(distinct item_id) as gave,
        count(distinct item_id) filter (where is_first) as gave_first
    from given
    group by all

)

select
    c.client_slug,
    c.batch_key,
    c.field,
    c.position,
    c.source,
    a.asked,
    c.gave,
    c.gave_first,
    coalesce(w.won, 0) as won
from counted as c
left join asked as a on a.client_slug = c.client_slug and a.batch_key = c.batch_key and a.source = c.source
left join won as w
    on w.client_slug = c.client_slug and w.batch_key = c.batch_key and w.field = c.field and w.source = c.source
