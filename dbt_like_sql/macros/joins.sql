{#- A value to join by that only some rows of the left side have: `on r.id = {{ only_if("l.kind = 'x'", 'l.id') }}`.
    DuckDB 1.5 joins by nested loops, every row with every row, where `on` of a left join holds a condition on the left
    side alone; as part of the value it is a hash join. -#}
{% macro only_if(condition, value) -%}
case when {{ condition }} then {{ value }} end
{%- endmacro %}
