-- One row per education entry: those mixed into a job history (Apollo), and `education[]` lists (People Data Labs).
{%- set lists = "[{\"school\":\"VARCHAR\",\"school_name\":\"VARCHAR\",\"degrees\":\"VARCHAR\",\"degree\":\"VARCHAR\",\"majors\":\"VARCHAR\",\"major\":\"VARCHAR\",\"start_date\":\"VARCHAR\",\"end_date\":\"VARCHAR\"}]" %}
with documents as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug as source_workflow,
        provider as source_provider,
        result_id,
        fetched_at,
        from_json(payload, '{"education":{{ lists }},"data":{"education":{{ lists }}},"person":{"education":{{ lists }}}}') as d
    from {{ ref('stg_answers') }}
    where payload is not null and contains(payload, '"education"')

),

listed as (

    select
        * exclude (d),
        unnest(flatten([d.education, d.data.education, d.person.education])) as e,
        generate_subscripts(flatten([d.education, d.data.education, d.person.education]), 1) as ordinal
    from documents

),

together as (

    select
        client_slug, batch_key, item_id, source_workflow, source_provider, result_id, fetched_at,
        'history' as found_in, ordinal, organisation_name as school_name, degree, major, start_date, end_date
    from {{ ref('stg_employment') }}
    where exclusion_reason = 'education'
    union all
    select
        client_slug, batch_key, item_id, source_workflow, source_provider, result_id, fetched_at,
        'education', cast(ordinal as integer), coalesce({{ filled(name_of('e.school')) }}, {{ filled('e.school_name') }}),
        coalesce({{ filled('e.degree') }}, {{ filled('e.degrees') }}), coalesce({{ filled('e.major') }}, {{ filled('e.majors') }}),
        {{ filled('e.start_date') }}, {{ filled('e.end_date') }}
    from listed

),

keyed as (

    select
        *,
        {{ date_key('start_date') }} as start_key,
        {{ date_key('end_date') }} as end_key
    from together

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
