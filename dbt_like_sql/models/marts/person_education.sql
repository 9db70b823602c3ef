-- One row per education entry: those mixed into a job history (Apollo), and `education` lists (everybody else). What was
-- left out is in education_exclusions.
with keyed as (

    select
        *,
        {{ date_key('start_date') }} as start_key,
        {{ date_key('end_date') }} as end_key
    from {{ ref('stg_education') }}
    where exclusion_reason is null

),

date_texts as materialized (

    select start_key as text from keyed where start_key is not null
    union
    select end_key from keyed where end_key is not null

),

dates as materialized (

{{ date_readings('date_texts') }}

)

select
    k.client_slug,
    k.batch_key,
    k.item_id,
    k.found_in,
    k.ordinal,
    k.school_name,
    k.degree,
    k.major,
    k.start_date,
    k.end_date,
    case when not s.is_open then s.earliest end as start_from,
    case when not s.is_open then s.latest end as start_to,
    case when not e.is_open then e.earliest end as end_from,
    case when not e.is_open then e.latest end as end_to,
    k.source_workflow,
    k.source_provider,
    k.result_id,
    k.fetched_at
from keyed as k
left join dates as s on s.text = k.start_key
left join dates as e on e.text = k.end_key
