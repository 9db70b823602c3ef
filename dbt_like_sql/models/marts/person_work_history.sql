-- One row per job of every item, as its provider told it. `start_date` and `end_date` are the text as given; the ranges
-- say which days that text can mean. A job stays whatever its dates are; what was left out is in work_history_exclusions.
with jobs as (

    select
        *,
        {{ date_key('start_date') }} as start_key,
        {{ date_key('end_date') }} as end_key
    from {{ ref('stg_employment') }}
    where exclusion_reason is null

),

date_texts as materialized (

    select start_key as text from jobs where start_key is not null
    union
    select end_key from jobs where end_key is not null

),

dates as materialized (

{{ date_readings('date_texts') }}

),

organisations as (

    select
        organisation_name,
        company_name_key(organisation_name) as organisation_name_key
    from (
        select distinct organisation_name
        from {{ ref('stg_employment') }}
        where exclusion_reason is null and organisation_name is not null
    )

),

people as (

    select
        batch_key,
        item_id,
        row_number,
        coalesce(
            {{ filled('full_name') }},
            nullif(trim(concat_ws(' ', {{ filled('first_name') }}, {{ filled('last_name') }})), '')
        ) as person_name
    from {{ source('hq', 'batch_items') }}

),

dated as (

    select
        j.*,
        case when not s.is_open then s.earliest end as start_from,
        case when not s.is_open then s.latest end as start_to,
        case when not e.is_open then e.earliest end as end_from,
        case when not e.is_open then e.latest end as end_to,
        e.is_open as end_is_open
    from jobs as j
    left join dates as s on s.text = j.start_key
    left join dates as e on e.text = j.end_key

)

select
    j.client_slug,
    j.batch_key,
    j.item_id,
    p.row_number,
    p.person_name,
    j.ordinal,
    j.organisation_name,
    j.provider_organisation_id,
    o.organisation_name_key,
    case
        when {{ filled_id('j.provider_organisation_id') }} is not null then j.id_namespace || ':' || j.provider_organisation_id
        when o.organisation_name_key is not null then 'name:' || o.organisation_name_key
    end as organisation_key,
    j.title,
    j.start_date,
    j.end_date,
    j.start_from,
    j.start_to,
    j.end_from,
    j.end_to,
    case
        when j.current_flag is not null then j.current_flag
        when j.end_is_open then true
        when j.end_to < cast(j.fetched_at as date) then false
        when j.end_from > cast(j.fetched_at as date) and j.start_from <= cast(j.fetched_at as date) then true
        when j.end_date is null and j.is_primary and not j.has_unread_end then true
    end as is_current,
    case
        when j.start_date is null and not j.has_unread_start then 'start_missing'
        when j.start_from is null then 'start_unreadable'
        when j.has_unread_end or (j.end_date is not null and j.end_is_open is null) then 'end_unreadable'
        when j.end_to < j.start_from then 'end_before_start'
    end as date_note,
    j.description,
    j.provider_entry_id,
    j.source_workflow,
    j.source_provider,
    j.result_id,
    j.fetched_at
from dated as j
left join people as p on p.batch_key = j.batch_key and p.item_id = j.item_id
left join organisations as o on o.organisation_name = j.organisation_name
