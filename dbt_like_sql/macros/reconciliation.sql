{#- What has to add up. Each gives one row: expected and actual, counted in two independent ways. -#}

{% macro items_and_leads() -%}
select
    (select count(*) from {{ source('hq', 'batch_items') }}) as expected,
    (select count(distinct item_id) from {{ ref('final_leads') }}) as actual
{%- endmacro %}

{#- Every readable row that was launched and every emitted child of an item that is there, against the items. -#}
{% macro rows_and_items() -%}
select
    (select coalesce(sum(coalesce(launched_rows, upload_rows - upload_rejected)), 0) from {{ source('hq', 'batches') }})
        + (
            select count(*)
            from {{ source('hq', 'batch_items') }} as c
            inner join {{ source('hq', 'batch_items') }} as p on p.batch_key = c.batch_key and p.item_id = c.parent_item_id
        ) as expected,
    (select count(*) from {{ source('hq', 'batch_items') }}) as actual
{%- endmacro %}

{#- Entries are counted in the JSON itself, by lengths of its lists, not by the code that turns them into rows. -#}
{% macro entries_and_rows() -%}
select
    ({{ entries_of(var('employment')) }}) as expected,
    (select count(*) from {{ ref('person_work_history') }})
        + (select count(*) from {{ ref('work_history_exclusions') }} where reason <> 'not_a_list') as actual
{%- endmacro %}

{#- The same of education; what stands in a job history is counted there, as an exclusion. -#}
{% macro education_entries_and_rows() -%}
select
    ({{ entries_of(var('education')) }})
        + (select count(*) from {{ ref('work_history_exclusions') }} where reason = 'education') as expected,
    (select count(*) from {{ ref('person_education') }})
        + (select count(*) from {{ ref('education_exclusions') }} where reason <> 'not_a_list') as actual
{%- endmacro %}

{% macro entries_of(history) -%}
select coalesce(sum(case
    when len({{ history_arrays('found') }}) > 0
        then list_sum(list_transform({{ history_arrays('found') }}, lambda list: {{ history_length(history, 'list') }}))
    {%- if history.one_entry %}
    when len(list_filter(found[{{ history.places | length + 1 }}:], lambda x: json_type(x) = 'OBJECT')) > 0 then 1
    {%- endif %}
    else 0
end), 0)
from (select {{ history_values(history) }} as found from {{ ref('stg_answers') }} where payload is not null)
where found is not null
{%- endmacro %}
