{#- The short way for the job history of the usual shape: Apollo's, alone in its answer, every entry with all that a job
    has and nothing else, and no id twice: no entry can be excluded. Such an answer is parsed once, for few members. What stands in any other goes the long way (`employment.sql`). -#}

{#- The answer where it may be such: it speaks of that history, and of no group of positions. -#}
{% macro usual_answer(history) -%}
case
    when contains(payload, '{{ history.usual.list }}"')
        and not contains(fields, '"{{ history.field }}"')
        {%- for group in history.groups %}
        and not contains(payload, '{{ group }}"')
        {%- endfor %}
        then payload
end
{%- endmacro %}

{#- The type that such an answer is parsed into: the entries; and as text what stands where another history could be. -#}
{% macro usual_document(history) -%}
{{ '{' }}"{{ history.usual.parent }}":{{ '{' }}"{{ history.usual.list }}":[{{ entry_type(history.usual.members) }}]
{%- for name in names_beside(history).split() %},"{{ name }}":"VARCHAR"{% endfor %}{{ '}' }}
{%- for name in names_at_top(history).split() %},"{{ name }}":"VARCHAR"{% endfor %}{{ '}' }}
{%- endmacro %}

{#- Names at the top below which a history could be; the first two are lists of which `only_subject` takes the only member. -#}
{% macro names_at_top(history) -%}
{%- set names = ['matches', 'datas'] -%}
{%- for place in history.places + history.one_entry -%}{%- if names.append(place.split('.')[0]) -%}{%- endif -%}{%- endfor -%}
{{ names | reject('equalto', history.usual.parent) | unique | join(' ') }}
{%- endmacro %}

{% macro names_beside(history) -%}
{%- set names = [] -%}
{%- for place in history.places + history.one_entry if place.startswith(history.usual.parent ~ '.') -%}{%- if names.append(place.split('.')[1]) -%}{%- endif -%}{%- endfor -%}
{{ names | reject('equalto', history.usual.list) | unique | join(' ') }}
{%- endmacro %}

{#- The entries of a parsed answer, null where it is not of that shape: something stands elsewhere, or
    an entry lacks a part, may be an education, or comes twice. -#}
{% macro usual_entries(history, d) -%}
{%- set entries = d ~ '.' ~ history.usual.parent ~ '.' ~ history.usual.list -%}
case
    when coalesce({% for name in names_at_top(history).split() %}{{ d }}."{{ name }}", {% endfor %}
        {%- for name in names_beside(history).split() %}{{ d }}.{{ history.usual.parent }}."{{ name }}"{{ ', ' if not loop.last }}{% endfor %}) is null
        and len(list_filter({{ entries }}, lambda x: {{ no_plain_name('x.organization_name') }} or {{ no_plain_name('x.title') }}
            or coalesce(x.start_date, '') < '1' or (x.end_date is null and x.current is null)
            or coalesce(x.kind, x.degree, x.grade_level, x.major, x.deleted) is not null)) = 0
        and list_unique(list_transform({{ entries }}, lambda x: coalesce(x.id, x._id))) = list_count(list_transform({{ entries }}, lambda x: coalesce(x.id, x._id)))
        then {{ entries }}
end
{%- endmacro %}

{#- True for text that may be no name: nothing, a number, true or false, an object, a list. What
    sorts before `A` takes the long way too: few names do. -#}
{% macro no_plain_name(text) -%}
coalesce({{ text }}, '') < 'A' or starts_with({{ text }}, '{') or starts_with({{ text }}, '[') or {{ text }} = 'true' or {{ text }} = 'false' or {{ text }} = 'null'
{%- endmacro %}

{#- The first member of an entry: of the usual shape by the members that are parsed of one, else by all. -#}
{% macro usual_or_any_member(history, names) -%}
case
    when usual is not null then {% if names | select('in', history.usual.members) | list %}coalesce({% for name in names if name in history.usual.members %}nullif(usual."{{ name }}", ''){{ ', ' if not loop.last }}{% endfor %}){% else %}null{% endif %}

    when e is not null then {{ member(names) }}
end
{%- endmacro %}
