{#- How organisations are named. What they are compared by comes from three functions of Python, which a session of the
    platform has and `plugins/domain_functions.py` gives to real dbt: company_name_key(name), company_host(addresses, name),
    linkedin_company_slug(address). -#}

{#- Whose ids the ids in an answer are. A provider of one service has one set of them; behind the providers that call
    anybody's service it is the workflow that knows whose, and its own `id_namespace` says so across workflows. -#}
{% macro id_namespace(declared, provider, workflow_slug) -%}
coalesce({{ declared }}, case when {{ provider }} in ({% for name in var('providers_of_any_service') %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}) then {{ provider }} || '/' || {{ workflow_slug }} else {{ provider }} end)
{%- endmacro %}

{#- An id as it is, null where it is none: nothing equals nothing. -#}
{% macro filled_id(text) -%}
case when length({{ text }}) between 10 and 200 or (length({{ text }}) < 10 and not list_contains(['', '0', '-', 'null', 'none', 'nil', 'undefined', 'nan', 'n/a', 'na', 'true', 'false', '[]', '{}'], lower(trim({{ text }})))) then {{ text }} end
{%- endmacro %}

{#- The part `name` of a recursive `with`: each key of a client takes the smallest key that it is linked to, until nothing
    changes any more. `edges` has the columns client_slug, a, b, and each link both ways. -#}
{% macro smallest_linked(name, edges, key) -%}
{{ name }} (client_slug, {{ key }}, label) using key (client_slug, {{ key }}) as (

    select client_slug, a, min(least(a, b)) from {{ edges }} group by client_slug, a
    union
    select e.client_slug, e.b, min(l.label)
    from {{ name }} as l
    inner join {{ edges }} as e on e.client_slug = l.client_slug and e.a = l.{{ key }}
    inner join recurring.{{ name }} as known on known.client_slug = e.client_slug and known.{{ key }} = e.b
    where l.label < known.label
    group by e.client_slug, e.b

)
{%- endmacro %}
