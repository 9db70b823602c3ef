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
