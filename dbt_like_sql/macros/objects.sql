{#- A JSON object (text) of those members that have a value; null where none has. `members`: (name, text, kind) each, where a
    `list` is JSON already, and an `integer` or a `number` is written as text. -#}
{% macro filled_object(members) -%}
nullif(cast(json_merge_patch('{}', json_object(
    {% for name, value, kind in members -%}
    '{{ name }}', {% if kind == 'list' -%}
    case when json_valid({{ value }}) then cast({{ value }} as json) end
    {%- elif kind == 'integer' -%}
    to_json(try_cast({{ value }} as bigint))
    {%- elif kind == 'number' -%}
    to_json(try_cast({{ value }} as double))
    {%- else -%}
    to_json({{ value }})
    {%- endif %}{{ ', ' if not loop.last }}
    {% endfor -%}
)) as varchar), '{}')
{%- endmacro %}
