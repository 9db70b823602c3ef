{{ config(materialized='table') }}
-- One row per entry of every job history in the answers: jobs, education, and what is neither, with the reason.
-- Nothing is dropped here. An answer is parsed once, into the shapes of both providers side by side.
with answers as (

    select
        client_slug,
        batch_key,
        item_id,
        workflow_slug as source_workflow,
        provider as source_provider,
        id_namespace,
        result_id,
        fetched_at,
        {{ employment_source('payload', 'fields') }} as document
    from {{ ref('stg_answers') }}
    where payload is not null

),

parsed as (

    select
        *,
        from_json(document, '{{ employment_document() }}') as d
    from answers

),

listed as (

    select
        * exclude (d),
        {{ employment_entries('d') }} as entries
    from parsed

),

identified as (

    select
        *,
        list_transform(entries, lambda x: coalesce(x.id, x._id)) as ids
    from listed

),

-- Only an answer in which an id comes twice is looked at more closely: by the hash of each whole entry that has an id.
fingerprinted as (

    select
        * exclude (ids),
        case
            when list_unique(ids) < list_count(ids)
                then list_transform(entries, lambda x: case when coalesce(x.id, x._id) is not null then hash(x) end)
        end as prints
    from identified

),

numbered as (

    select
        * exclude (entries, prints, document),
        unnest(entries) as e,
        unnest(list_transform(prints, lambda p, place: p is not null and list_position(prints, p) < place)) as is_repeated,
        generate_subscripts(entries, 1) as ordinal
    from fingerprinted

),

named as (

    select
        client_slug,
        batch_key,
        item_id,
        source_workflow,
        source_provider,
        id_namespace,
        result_id,
        fetched_at,
        ordinal,
        coalesce({{ filled('e.id') }}, {{ filled('e._id') }}) as provider_entry_id,
        coalesce(
            {{ filled('e.organization_name') }}, {{ filled('e.organisation_name') }}, {{ filled('e.company_name') }},
            {{ filled(name_of('e.company')) }}
        ) as organisation_name,
        coalesce(
            {{ filled('e.organization_id') }},
            case when starts_with(e.company, '{') and json_valid(e.company) then json_extract_string(e.company, '$.id') end
        ) as provider_organisation_id,
        coalesce({{ filled(name_of('e.title')) }}, {{ filled('e.job_title') }}) as title,
        {{ filled('e.start_date') }} as start_date,
        {{ filled('e.end_date') }} as end_date,
        coalesce({{ truth('e.current') }}, {{ truth('e.is_current') }}) as current_flag,
        {{ truth('e.is_primary') }} as is_primary,
        coalesce({{ filled('e.description') }}, {{ filled('e.summary') }}) as description,
        {{ filled('e.kind') }} as kind,
        {{ filled('e.degree') }} as degree,
        {{ filled('e.grade_level') }} as grade_level,
        {{ filled('e.major') }} as major,
        coalesce(is_repeated, false) as is_repeated
    from numbered

),

judged as (

    select
        *,
        case
            when is_repeated then 'duplicate'
            when contains(lower(kind), 'educat') or list_contains(['school', 'degree', 'university'], lower(kind)) then 'education'
            when list_contains(['job', 'work', 'employment', 'experience', 'position'], lower(kind)) then null
            when coalesce(degree, grade_level, major) is not null then 'education'
            when coalesce(organisation_name, provider_organisation_id, title, start_date, end_date) is null then 'empty'
        end as exclusion_reason
    from named

)

select
    client_slug,
    batch_key,
    item_id,
    source_workflow,
    source_provider,
    id_namespace,
    result_id,
    fetched_at,
    cast(ordinal as integer) as ordinal,
    exclusion_reason,
    provider_entry_id,
    organisation_name,
    provider_organisation_id,
    title,
    start_date,
    end_date,
    current_flag,
    is_primary,
    description,
    kind,
    degree,
    grade_level,
    major
from judged
