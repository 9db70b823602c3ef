{%- set cells = [
    'first_name', 'last_name', 'full_name', 'title', 'seniority', 'email', 'phone', 'linkedin_url', 'company_name',
    'company_domain', 'company_website', 'company_linkedin_url', 'company_phone', 'industry', 'city', 'state', 'country',
    'apollo_contact_id', 'apollo_account_id',
] -%}
{#- What workflows declare. The runner of this project passes it; dbt reads what the last extraction left of it. -#}
{%- set declared = var('lead_columns', none) -%}
{%- if declared is none -%}
    {%- set declared = [] -%}
    {%- if execute -%}
        {%- set file = env_var('ENRICH_WAREHOUSE', '.') ~ '/lead_columns.json' -%}
        {%- set found = run_query("select name, type, written from read_json('" ~ file ~ "') where is_current order by place") -%}
        {%- for row in found.rows -%}
            {%- set _ = declared.append({'name': row[0], 'type': row[1], 'written': row[2]}) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endif -%}
-- One row per item, always, whatever came of it. Every value here is explained in final_leads_provenance.
-- Columns: the cells of every item (`batch_items`), and the fields that workflows declare a `column` for. What has no
-- column, or is no value of its column's type, is in other_fields.
with values_of_items as (

    select
        batch_key,
        item_id,
        field,
        value,
        verdict,
        confidence,
        kind,
        case
            when field in ('{{ cells | join("', '") }}'{% for column in declared if column.type == 'VARCHAR' %}, '{{ column.name }}'{% endfor %}) then true
            {% for column in declared if column.type != 'VARCHAR' -%}
            when field = '{{ column.name }}' then value is null or {{ column_value('value', column) }} is not null
            {% endfor -%}
            else false
        end as has_column
    from {{ ref('final_leads_provenance') }}
    where candidates > 0

),

-- All values of an item in one list, from which each column takes its own: an aggregate for each column would look at every
-- value once a column, and hold a place for each column in each item.
gathered as (

    select
        batch_key,
        item_id,
        list({'field': field, 'value': value}) as given,
        max(verdict) filter (where field = 'email') as email_status,
        max(confidence) filter (where field = 'email' and value is not null) as email_confidence,
        max(kind) filter (where field = 'phone' and value is not null) as phone_type,
        max(confidence) filter (where field = 'phone' and value is not null) as phone_confidence,
        cast(to_json(map(
            list(field order by field) filter (where not has_column),
            -- Cut text is still text; cut JSON would be nothing.
            list(case when length(value) > 4000 and not json_valid(value) then left(value, 4000) else value end order by field) filter (where not has_column)
        )) as varchar) as other_fields
    from values_of_items
    group by batch_key, item_id

),

listed as (

    select
        * exclude (given),
        list_transform(given, lambda x: x.field) as names,
        list_transform(given, lambda x: x.value) as texts
    from gathered

),

chosen as (

    select
        * exclude (names, texts),
        {% for field in cells -%}
        texts[list_position(names, '{{ field }}')] as {{ field }},
        {% endfor -%}
        {% for column in declared -%}
        {{ column_value("texts[list_position(names, '" ~ column.name ~ "')]", column) }} as "{{ column.name }}",
        {% endfor -%}
    from listed

),

-- What a register says of the best number, also where that keeps it from being shown.
registers as (

    select batch_key, item_id, do_not_call
    from {{ ref('lead_values') }}
    where field = 'phone' and rank = 1 and do_not_call is not null

),

progress as (

    select
        batch_key,
        item_id,
        cast(count(*) as integer) as steps,
        cast(count(*) filter (where status = 'COMPLETED' and outcome = 'found') as integer) as steps_found,
        cast(count(*) filter (where status = 'COMPLETED' and outcome = 'not_found') as integer) as steps_not_found,
        cast(count(*) filter (where status = 'SKIPPED') as integer) as steps_skipped,
        cast(count(*) filter (where status = 'FAILED') as integer) as steps_failed,
        cast(count(*) filter (where status = 'AMBIGUOUS') as integer) as steps_ambiguous,
        cast(count(*) filter (where status = 'CANCELLED') as integer) as steps_cancelled,
        cast(count(*) filter (where status in ('PENDING', 'IN_PROGRESS')) as integer) as steps_open,
        cast(sum(cost) as decimal(18, 6)) as cost,
        max(advanced_at) as last_advanced_at
    from {{ source('hq', 'workflow_states') }}
    group by batch_key, item_id

)

select
    i.client_slug,
    i.batch_key,
    i.item_id,
    i.row_number,
    i.parent_item_id,
    i.company_key,
    {% for field in cells -%}
    c.{{ field }},
    {% endfor -%}
    c.phone_type,
    c.phone_confidence,
    r.do_not_call as phone_do_not_call,
    c.email_status,
    c.email_confidence,
    case when c.email is not null then coalesce(a.sources_disagree, false) end as email_sources_disagree,
    case when c.email is not null then coalesce(a.finders, 0) end as email_finders,
    case when c.email is not null then coalesce(a.is_confirmed, false) end as email_is_confirmed,
    {% for column in declared -%}
    c."{{ column.name }}",
    {% endfor -%}
    c.other_fields,
    coalesce(p.steps_open, 0) = 0 as is_finished,
    coalesce(p.steps, 0) as steps,
    coalesce(p.steps_found, 0) as steps_found,
    coalesce(p.steps_not_found, 0) as steps_not_found,
    coalesce(p.steps_skipped, 0) as steps_skipped,
    coalesce(p.steps_failed, 0) as steps_failed,
    coalesce(p.steps_ambiguous, 0) as steps_ambiguous,
    coalesce(p.steps_cancelled, 0) as steps_cancelled,
    coalesce(p.steps_open, 0) as steps_open,
    coalesce(p.cost, 0) as cost,
    p.last_advanced_at
from {{ source('hq', 'batch_items') }} as i
left join chosen as c on c.batch_key = i.batch_key and c.item_id = i.item_id
left join {{ ref('stg_contact_verdicts') }} as a
    on a.batch_key = i.batch_key and a.item_id = i.item_id and a.field = 'email' and a.key = lower(trim(c.email))
left join registers as r on r.batch_key = i.batch_key and r.item_id = i.item_id
left join progress as p on p.batch_key = i.batch_key and p.item_id = i.item_id
order by i.batch_key, i.item_id
