{{ config(materialized='table') }}
-- One row per entry of every job history in the answers: jobs, education, and what is neither, with the reason.
-- Nothing is dropped here. The list is parsed once, into the members of all shapes side by side.
{%- set history = var('employment') %}
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

unfolded as (

    select
        * exclude (list),
        {{ history_unfolded(history, 'list') }} as list
    from listed
    where list is not null

),

parsed as (

    select
        *,
        from_json(list, '{{ entry_type(history.first_members) }}') as entries
    from unfolded

),

-- An answer in which an entry lacks an organisation, a title, a start, or an end and the word that it goes on, is another
-- provider's: it is parsed again, for the members of all shapes. Only one in which an id comes twice is looked at more
-- closely: by the text of each whole entry that has an id.
identified as (

    select
        *,
        case
            when len(list_filter(entries, lambda x: x.organization_name is null or x.title is null or x.start_date is null
                or (x.end_date is null and x.current is null))) > 0
                then from_json(list, '{{ entry_type(entry_members(history).split(' ')) }}')
        end as thorough,
        list_transform(entries, lambda x: coalesce(x.id, x._id)) as ids
    from parsed

),

fingerprinted as (

    select
        * exclude (ids),
        case
            when list_unique(ids) < list_count(ids) then list_transform(
                json_extract(list, '$[*]'),
                lambda x, place: case when ids[place] is not null then cast(x as varchar) end
            )
        end as prints
    from identified

),

-- The entries as they came, of an answer in which one may be excluded.
kept as (

    select
        *,
        case
            when thorough is not null or prints is not null or len(list_filter(entries, lambda x: coalesce(x.kind, x.degree, x.grade_level, x.major, x.deleted) is not null)) > 0
                then json_extract(list, '$[*]')
        end as raws
    from fingerprinted

),

numbered as (

    select
        * exclude (list, entries, thorough, prints, raws),
        unnest(entries) as first_look,
        unnest(raws) as raw,
        unnest(thorough) as e,
        unnest(list_transform(prints, lambda p, place: p is not null and list_position(prints, p) < place)) as is_repeated,
        generate_subscripts(entries, 1) as ordinal
    from kept

),

picked as (

    select
        client_slug,
        batch_key,
        item_id,
        source_workflow,
        source_provider,
        id_namespace,
        result_id,
        fetched_at,
        raw,
        ordinal,
        coalesce(is_repeated, false) as is_repeated,
        {% for field, members in history.members.items() if field not in ('start_parts', 'end_parts', 'open_without_end') -%}
        {{ first_member(members, history.first_members) }} as given_{{ field }},
        {% endfor -%}
        {{ date_of_parts(history.members.start_parts) }} as start_of_parts,
        {{ date_of_parts(history.members.end_parts) }} as end_of_parts,
        {{ member(history.members.open_without_end) }} is not null as is_open_without_end,
        split_part(e.subtitle, ' · ', 1) as subtitle
    from numbered

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
        raw,
        ordinal,
        is_repeated,
        {{ filled('given_entry_id') }} as provider_entry_id,
        coalesce({{ filled(name_of('given_organisation_name')) }}, {{ filled('subtitle') }}) as organisation_name,
        {{ filled('given_organisation_id') }} as provider_organisation_id,
        {{ filled(name_of('given_title')) }} as title,
        coalesce({{ date_text('given_start') }}, start_of_parts, {{ range_end('given_range', 1) }}) as start_date,
        coalesce({{ date_text('given_end') }}, end_of_parts, {{ range_end('given_range', 2) }}) as end_date,
        {{ truth('given_current') }} as current_flag,
        {{ truth('given_primary') }} as is_primary,
        {{ truth('given_deleted') }} as is_deleted,
        is_open_without_end,
        {{ filled('given_description') }} as description,
        {{ filled('given_kind') }} as kind,
        {{ filled('given_degree') }} as degree,
        {{ filled('given_grade') }} as grade_level,
        {{ filled('given_major') }} as major
    from picked

),

judged as (

    select
        *,
        case
            when is_repeated then 'duplicate'
            when is_deleted then 'deleted'
            when contains(lower(kind), 'educat') or list_contains(['school', 'degree', 'university'], lower(kind)) then 'education'
            when not coalesce(list_contains(['job', 'work', 'employment', 'experience', 'position'], lower(kind)), false)
                and coalesce(degree, grade_level, major) is not null then 'education'
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
    case
        when exclusion_reason is not null then exclusion_reason
        when coalesce(organisation_name, provider_organisation_id, title) is null
            then case when {{ is_nothing('raw') }} then 'empty' else 'unknown_shape' end
        when coalesce(organisation_name, provider_organisation_id) is null
            and {{ has_unknown(history, ['organisation_name', 'organisation_id'], 'compan|organi[sz]ation|employer|firm|business|workplace', '_(url|size|domain|website|logo)$|url|logo', 'raw') }} then 'unknown_shape'
        when title is null
            and {{ has_unknown(history, ['title'], 'title|position|role|job|occupation|function', 'url|type|order|count|location|description|id$', 'raw') }} then 'unknown_shape'
    end as exclusion_reason,
    provider_entry_id,
    organisation_name,
    provider_organisation_id,
    title,
    start_date,
    end_date,
    start_date is null
        and {{ has_unknown(history, ['start', 'start_parts'], 'start|begin|begun|since|join|hire|from|date|year|period|tenure', 'updat|creat|duration|valid|birth|seen|last|end|_to$|until|years?_?(of|in)|current|former', 'raw') }} as has_unread_start,
    case when current_flag is null and is_open_without_end and end_date is null then true else current_flag end as current_flag,
    is_primary,
    description,
    kind,
    degree,
    grade_level,
    major,
    case
        when exclusion_reason is not null or coalesce(organisation_name, provider_organisation_id) is null or title is null
            then left(cast(raw as varchar), 4000)
    end as entry
from judged
