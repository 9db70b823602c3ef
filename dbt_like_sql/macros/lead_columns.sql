{#- A text as a value of a column; null where it is none exactly. -#}
{% macro column_value(value, column) -%}
{%- if column.type == 'VARCHAR' -%}
{{ value }}
{%- else -%}
case when regexp_full_match({{ value }}, '{{ column.written }}')
    then try_cast({% if column.type in ('BIGINT', 'INTEGER') %}split_part({{ value }}, '.', 1){% else %}{{ value }}{% endif %} as {{ column.type }}) end
{%- endif -%}
{%- endmacro %}
