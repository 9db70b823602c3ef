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

dated as (

    select
        *,
        {{ plausible(date_low('start_date')) }} as start_from,
        {{ plausible(date_low('end_date')) }} as end_from
    from together

)

select
    client_slug,
    batch_key,
    item_id,
    found_in,
    ordinal,
    school_name,
    degree,
    major,
    start_date,
    end_date,
    start_from,
    end_from,
    {{ plausible(date_high('end_date', 'end_from')) }} as end_to,
    source_workflow,
    source_provider,
    result_id,
    fetched_at
from dated
