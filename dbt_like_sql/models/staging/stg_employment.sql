{{ config(materialized='table') }}
-- One row per entry of every job history in the answers: jobs, education, and what is neither, with the reason.
-- Nothing is dropped here. An answer of the usual shape is parsed once, another one for the members of all shapes.
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
        payload,
        fields,
        from_json({{ usual_answer(history) }}, '{{ usual_document(history) }}') as d
    from {{ ref('stg_answers') }}
    where payload is not null

),

-- Most answers are of the usual shape: their entries are taken as they are parsed. No step down to the entries has a
-- condition on rows: DuckDB would parse every answer once more for it. A list that is null has no entries.
looked as (

    select
        * exclude (d),
        {{ usual_entries(history, 'd') }} as entries
    from answers

),

found as (

    select
        * exclude (payload, fields),
        case when entries is null then {{ history_values(history) }} end as found
    from looked

),

arrays as (

    select
        *,
        case when found is not null then {{ history_arrays('found') }} end as arrays,
        case when found is not null then {{ history_strays(history, 'found') }} end as strays
    from found

),

listed as (

    select
        * exclude (found, arrays),
        case when found is not null then {{ history_list(history, 'found', 'arrays') }} end as list
    from arrays

),

-- The entries as they came, of every answer of another shape.
kept as (

    select
        * exclude (list),
        case when list is not null then json_extract({{ history_unfolded(history, 'list') }}, '$[*]') end as raws
    from listed

),

-- Only an answer in which an id comes twice is looked at more closely: by the text of each whole entry that has an id.
identified as (

    select
        *,
        case when raws is not null then list_transform(raws, lambda x: coalesce(json_extract_string(x, '$.id'), json_extract_string(x, '$._id'))) end as ids
    from kept

),

fingerprinted as (

    select
        * exclude (ids),
        case
            when list_unique(ids) < list_count(ids)
                then list_transform(raws, lambda x, place: case when ids[place] is not null then cast(x as varchar) end)
        end as prints
    from identified

),

numbered as (

    select
        * exclude (entries, strays, prints, raws),
        coalesce(len(entries), len(raws), 0) as length,
        unnest(range(1, coalesce(len(entries), len(raws), 0) + coalesce(len(strays), 0) + 1)) as ordinal,
        unnest(entries) as usual,
        unnest(case when strays is null then raws else list_concat(raws, strays) end) as raw,
        unnest(list_transform(prints, lambda p, place: p is not null and list_position(prints, p) < place)) as is_repeated
    from fingerprinted

),

read as (

    select
        * exclude (length),
        ordinal > length as is_stray,
        case when usual is null and ordinal <= length then from_json(raw, '{{ entry_type(entry_members(history).split(' ')) }}') end as e
    from numbered

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
        usual is not null as is_usual,
        is_stray,
        coalesce(is_repeated, false) as is_repeated,
        {% for field, members in history.members.items() if field not in ('start_parts', 'end_parts', 'open_without_end') -%}
        {{ usual_or_any_member(history, members) }} as given_{{ field }},
        {% endfor -%}
        case when e is not null then {{ date_of_parts(history.members.start_parts) }} end as start_of_parts,
        case when e is not null then {{ date_of_parts(history.members.end_parts) }} end as end_of_parts,
        case when e is not null then {{ member(history.members.open_without_end) }} is not null else false end as is_open_without_end,
        case when e is not null then split_part(e.subtitle, ' · ', 1) end as subtitle
    from read

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
        is_stray,
        is_repeated,
        {{ filled('given_entry_id') }} as provider_entry_id,
        case
            when is_usual then given_organisation_name
            else coalesce({{ filled(name_of('given_organisation_name')) }}, {{ filled('subtitle') }})
        end as organisation_name,
        {{ filled('given_organisation_id') }} as provider_organisation_id,
        case when is_usual then given_title else {{ filled(name_of('given_title')) }} end as title,
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
            when is_stray then 'not_a_list'
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
    case when start_date is null then {{ has_unknown(history, ['start', 'start_parts'], 'start|begin|begun|since|join|hire|from|date|year|period|tenure', 'updat|creat|duration|valid|birth|seen|last|end|_to$|until|years?_?(of|in)|current|former', 'raw') }} else false end as has_unread_start,
    case when end_date is null and current_flag is not true then {{ has_unknown(history, ['end', 'end_parts', 'range'], '^(date_?)?(end|until|till|finish|left|leav|exit|quit|through|thru)|_(end|until|to|left)$|(end|ending|finish|finished)_?(date|year|month|on|at|time)$', 'endors|url|reason|count|left_?over', 'raw') }} else false end as has_unread_end,
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
