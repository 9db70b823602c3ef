-- One row per entry of a job history that is no row of person_work_history, with the reason. Rows there plus rows here
-- are the entries of all histories, exactly.
with listed as (

    select
        client_slug,
        batch_key,
        item_id,
        source_workflow,
        source_provider,
        result_id,
        ordinal,
        exclusion_reason as reason,
        to_json({
            'organisation': organisation_name, 'title': title, 'start': start_date, 'end': end_date,
            'kind': kind, 'degree': degree, 'id': provider_entry_id
        }) as entry
    from {{ ref('stg_employment') }}
    where exclusion_reason is not null

),

-- A history that is no list holds nothing that could be a row, but it is not passed over in silence either.
documents as (

    select
        *,
        {{ employment_source('payload', 'fields') }} as document
    from {{ ref('stg_answers') }}
    where payload is not null

),

shaped as (

    select
        *,
        json_type(document, {{ employment_paths() }}) as types
    from documents
    where document is not null

),

misshapen as (

    select
        * exclude (types),
        unnest(types) as found_type,
        unnest({{ employment_paths() }}) as path
    from shaped
    where list_has_any(types, ['OBJECT', 'VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE'])

)

select
    client_slug,
    batch_key,
    item_id,
    source_workflow,
    source_provider,
    result_id,
    ordinal,
    reason,
    cast(entry as varchar) as entry
from listed
union all
select
    client_slug,
    batch_key,
    item_id,
    workflow_slug,
    provider,
    result_id,
    null,
    'not_a_list',
    left(cast(json_extract(document, path) as varchar), 1000)
from misshapen
where found_type not in ('ARRAY', 'NULL')
