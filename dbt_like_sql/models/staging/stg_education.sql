{{ config(materialized='table') }}
-- One row per education entry: of `education` lists, and those mixed into a job history (Apollo). Nothing is dropped here.
{%- set history = var('education') %}
with answers as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug as source_workflow,
        provider as source_provider,
        result_id,
        fetched_at,
        {{ history_values(history) }} as found
    from {{ ref('stg_answers') }}
    where {{ history_is_spoken_of(history) }}

),

arrays as (

    select
        *,
        case when found is not null then {{ history_arrays('found') }} end as arrays,
        case when found is not null then {{ history_strays(history, 'found') }} end as strays
    from answers

),

listed as (

    select
        * exclude (found, arrays),
        case when found is not null then json_extract({{ history_list(history, 'found', 'arrays') }}, '$[*]') end as raws
    from arrays

),

numbered as (

    select
        * exclude (raws, strays),
        coalesce(len(raws), 0) as length,
        unnest(range(1, coalesce(len(raws), 0) + coalesce(len(strays), 0) + 1)) as ordinal,
        unnest(case when strays is null then raws else list_concat(raws, strays) end) as raw
    from listed

),

read as (

    select
        *,
        ordinal > length as is_stray,
        case when ordinal <= length then from_json(raw, '{{ entry_type(entry_members(history).split(' ')) }}') end as e
    from numbered

),

picked as (

    select
        * exclude (e),
        {% for field, members in history.members.items() if field not in ('start_parts', 'end_parts') -%}
        {{ member(members) }} as given_{{ field }},
        {% endfor -%}
        {{ date_of_parts(history.members.start_parts) }} as start_of_parts,
        {{ date_of_parts(history.members.end_parts) }} as end_of_parts
    from read

),

named as (

    select
        *,
        {{ filled(name_of('given_school_name')) }} as school_name,
        {{ filled(name_of('given_degree')) }} as degree,
        {{ filled(name_of('given_major')) }} as major,
        coalesce({{ date_text('given_start') }}, start_of_parts, {{ range_end('given_range', 1) }}) as start_date,
        coalesce({{ date_text('given_end') }}, end_of_parts, {{ range_end('given_range', 2) }}) as end_date
    from picked

),

together as (

    select
        client_slug, batch_key, item_id, source_workflow, source_provider, result_id, fetched_at,
        'history' as found_in, ordinal, organisation_name as school_name, degree, major, start_date, end_date, entry, false as is_stray, false as is_nothing
    from {{ ref('stg_employment') }}
    where exclusion_reason = 'education'
    union all
    select
        client_slug, batch_key, item_id, source_workflow, source_provider, result_id, fetched_at,
        'education', cast(ordinal as integer), school_name, degree, major,
        start_date, end_date,
        left(cast(raw as varchar), 4000), is_stray, {{ is_nothing('raw') }}
    from named

)

select
    client_slug,
    batch_key,
    item_id,
    source_workflow,
    source_provider,
    result_id,
    fetched_at,
    found_in,
    ordinal,
    case
        when is_stray then 'not_a_list'
        when coalesce(school_name, degree, major) is not null then null
        when found_in = 'history' or is_nothing then 'empty'
        else 'unknown_shape'
    end as exclusion_reason,
    school_name,
    degree,
    major,
    start_date,
    end_date,
    entry
from together
