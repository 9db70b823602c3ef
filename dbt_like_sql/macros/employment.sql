{#- Where a history of jobs may stand in an answer, and what an entry of it may look like. -#}

{#- One entry: Apollo's `employment_history[]` and People Data Labs' `experience[]` in one shape, all as text.
    A member of another type than text arrives as its JSON text, an entry that is no object as nothing but nulls. -#}
{% macro employment_entry() -%}
{"id":"VARCHAR","_id":"VARCHAR","organization_name":"VARCHAR","organisation_name":"VARCHAR","company_name":"VARCHAR","company":"VARCHAR","organization_id":"VARCHAR","title":"VARCHAR","job_title":"VARCHAR","start_date":"VARCHAR","end_date":"VARCHAR","current":"VARCHAR","is_current":"VARCHAR","is_primary":"VARCHAR","kind":"VARCHAR","degree":"VARCHAR","grade_level":"VARCHAR","major":"VARCHAR","description":"VARCHAR","summary":"VARCHAR"}
{%- endmacro %}

{#- The two lists an object can hold, wherever that object stands. -#}
{% macro employment_lists() -%}
"employment_history":[{{ employment_entry() }}],"experience":[{{ employment_entry() }}]
{%- endmacro %}

{#- The whole answer: the lists at its top, or below `person` (Apollo) or `data` (People Data Labs). -#}
{% macro employment_document() -%}
{{ '{' }}{{ employment_lists() }},"person":{{ '{' }}{{ employment_lists() }}{{ '}' }},"data":{{ '{' }}{{ employment_lists() }}{{ '}' }}{{ '}' }}
{%- endmacro %}

{#- The same places as JSON paths, in the order in which entries are numbered. -#}
{% macro employment_paths() -%}
['$.employment_history', '$.experience', '$.person.employment_history', '$.person.experience', '$.data.employment_history', '$.data.experience']
{%- endmacro %}

{#- The document to read: what the workflow's `provides` mapped as `employment_history`, else the whole answer. -#}
{% macro employment_source(payload, fields) -%}
case
    when contains({{ fields }}, '"employment_history"') and json_type({{ fields }}, '$.employment_history') = 'ARRAY' then {{ fields }}
    when contains({{ payload }}, '"employment_history"') or contains({{ payload }}, '"experience"') then {{ payload }}
end
{%- endmacro %}

{#- Text, or null where there is nothing in it. What sorts at or after `!` starts with no blank: the cheap test first. -#}
{% macro filled(text) -%}
case when {{ text }} >= '!' then {{ text }} when trim({{ text }}, e' \t\r\n') <> '' then {{ text }} end
{%- endmacro %}

{#- All lists of a parsed answer behind each other; almost every answer has one, which is then not copied. -#}
{% macro employment_entries(d) -%}
{%- set lists = [d ~ '.employment_history', d ~ '.experience', d ~ '.person.employment_history', d ~ '.person.experience', d ~ '.data.employment_history', d ~ '.data.experience'] -%}
case
    when {% for list in lists %}cast({{ list }} is not null as integer){{ ' + ' if not loop.last }}{% endfor %} <= 1 then coalesce({{ lists | join(', ') }})
    else flatten([{{ lists | join(', ') }}])
end
{%- endmacro %}

{#- The name in a value that is either the name itself or an object with `name` in it. -#}
{% macro name_of(text) -%}
case when starts_with({{ text }}, '{') and json_valid({{ text }}) then json_extract_string({{ text }}, '$.name') else {{ text }} end
{%- endmacro %}

{#- A list and not IN: an IN would be looked up for every row beforehand, whether this is reached or not. -#}
{% macro truth(text) -%}
case
    when {{ text }} = 'true' then true
    when {{ text }} = 'false' then false
    when list_contains(['true', '1', 'yes', 't', 'y'], lower({{ text }})) then true
    when list_contains(['false', '0', 'no', 'f', 'n'], lower({{ text }})) then false
end
{%- endmacro %}
