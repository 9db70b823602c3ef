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
    where payload is not null

),

arrays as (

    select
        *,
        {{ history_arrays('found') }} as arrays
    from answers
    where found is not null

),

listed as (

    select
        * exclude (found, arrays),
        {{ history_list(history, 'found', 'arrays') }} as list
    from arrays

),

numbered as (

    select
        * exclude (list),
        unnest(json_extract(list, '$[*]')) as raw,
        unnest(from_json(list, '{{ entry_type(entry_members(history).split(' ')) }}')) as e,
        generate_subscripts(from_json(list, '{{ entry_type(entry_members(history).split(' ')) }}'), 1) as ordinal
    from listed
    where list is not null

),

picked as (

    select
        * exclude (e),
        {% for field, members in history.members.items() if field not in ('start_parts', 'end_parts') -%}
        {{ member(members) }} as given_{{ field }},
        {% endfor -%}
        {{ date_of_parts(history.members.start_parts) }} as start_of_parts,
        {{ date_of_parts(history.members.end_parts) }} as end_of_parts
    from numbered

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
        'history' as found_in, ordinal, organisation_name as school_name, degree, major, start_date, end_date, entry, false as is_nothing
    from {{ ref('stg_employment') }}
    where exclusion_reason = 'education'
    union all
    select
        client_slug, batch_key, item_id, source_workflow, source_provider, result_id, fetched_at,
        'education', cast(ordinal as integer), school_name, degree, major,
        start_date, end_date,
        left(cast(raw as varchar), 4000), {{ is_nothing('raw') }}
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
