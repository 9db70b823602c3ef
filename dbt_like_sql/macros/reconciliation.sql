{#- What has to add up. Each gives one row: expected and actual, counted in two independent ways. -#}

{% macro items_and_leads() -%}
select
    (select count(*) from {{ source('hq', 'batch_items') }}) as expected,
    (select count(distinct item_id) from {{ ref('final_leads') }}) as actual
{%- endmacro %}

{#- Every readable row and every emitted child of an item that is there, against the items. -#}
{% macro rows_and_items() -%}
select
    (select coalesce(sum(upload_rows - upload_rejected), 0) from {{ source('hq', 'batches') }})
        + (
            select count(*)
            from {{ source('hq', 'batch_items') }} as c
            inner join {{ source('hq', 'batch_items') }} as p on p.batch_key = c.batch_key and p.item_id = c.parent_item_id
        ) as expected,
    (select count(*) from {{ source('hq', 'batch_items') }}) as actual
{%- endmacro %}

{#- Entries are counted in the JSON text itself, by its array lengths, not by the code that turns them into rows. -#}
{% macro entries_and_rows() -%}
select
    (
        select coalesce(sum(list_sum(json_array_length(document, {{ employment_paths() }}))), 0)
        from (
            select {{ employment_source('payload', 'fields') }} as document
            from {{ ref('stg_answers') }} where payload is not null
        ) where document is not null
    ) as expected,
    (select count(*) from {{ ref('person_work_history') }})
        + (select count(*) from {{ ref('work_history_exclusions') }} where reason <> 'not_a_list') as actual
{%- endmacro %}
