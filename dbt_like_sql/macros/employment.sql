{#- How a history is found in an answer, and how its entries are read. What providers call things is data: the variables
    `employment` and `education` of dbt_project.yml; a macro takes one of the two as `history`. -#}

{#- What stands at all places where a history may be, null where nothing is, in one pass over the answer. What the
    workflow's `provides` mapped under the history's own name is read instead. A list that is sent as text is opened. -#}
{% macro history_values(history) -%}
case
    when contains(fields, '"{{ history.field }}"') and json_type(fields, '$.{{ history.field }}') = 'ARRAY'
        then [json_extract(fields, '$.{{ history.field }}')]
    when {{ words_occur(history) }}
        then case
            when contains(payload, '"[') then list_transform(
                json_extract({{ only_subject('payload') }}, {{ history_paths(history) }}),
                lambda x: case when starts_with(x, '"[') and json_valid(json_extract_string(x, '$')) then json(json_extract_string(x, '$')) else x end
            )
            else json_extract({{ only_subject('payload') }}, {{ history_paths(history) }})
        end
end
{%- endmacro %}

{#- Histories among those values that are no list: they hold nothing that could be a row, but they are not passed over in
    silence either. An object below which another place is declared is the way to that place. -#}
{% macro history_strays(history, found) -%}
case
    when len(list_filter({{ found }}, lambda x: not starts_with(cast(x as varchar), '['))) > 0 then list_filter(
        list_transform({{ found }}, lambda x, place: case
            when json_type(x) in ('ARRAY', 'NULL') or place > {{ history.places | length }} then null
            when json_type(x) = 'OBJECT' and list_contains([{{ places_above_others(history) }}], place) then null
            when json_type(x) = 'VARCHAR' and list_contains([{{ places_of_text(history) }}], place) then null
            else x
        end),
        lambda x: x is not null
    )
end
{%- endmacro %}

{#- Numbers of the places where a text is something else than a history. -#}
{% macro places_of_text(history) -%}
0{% for place in history.places %}{% if place in history.may_be_text %}, {{ loop.index }}{% endif %}{% endfor %}
{%- endmacro %}

{#- Numbers of the places that are the beginning of another one (`employment` of `employment.all`). -#}
{% macro places_above_others(history) -%}
{%- set numbers = [0] -%}
{%- for place in history.places -%}
{%- set above = loop.index -%}
{%- for other in history.places + history.one_entry if other.startswith(place ~ '.') -%}{%- if numbers.append(above) -%}{%- endif -%}{%- endfor -%}
{%- endfor -%}
{{ numbers | unique | join(', ') }}
{%- endmacro %}

{#- True for an answer that may hold a history: a condition on rows that costs little, for whoever needs no other answer. -#}
{% macro history_is_spoken_of(history) -%}
contains(fields, '"{{ history.field }}"') or {{ words_occur(history) }}
{%- endmacro %}

{% macro words_occur(history) -%}
{% for word in history.words %}contains(payload, '{{ word }}'){{ ' or ' if not loop.last }}{% endfor %}
{%- endmacro %}

{% macro history_paths(history) -%}
[{% for place in history.places + history.one_entry %}'$.{{ place }}'{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{#- The answer; of a list, at the top or below one of these names (Apollo's bulk match, Crustdata), its only member. Of
    several nobody knows who was asked about. -#}
{% macro only_subject(payload) -%}
case
    when regexp_matches({{ payload }}, '^\s*\[')
        then case when json_array_length({{ payload }}) = 1 then coalesce(
            {%- for path in ['$[0].matches[0]', '$[0].data[0]'] %}
            case when json_array_length({{ payload }}, '{{ path[:-3] }}') = 1 then json_extract({{ payload }}, '{{ path }}') end,
            {%- endfor %}
            json_extract({{ payload }}, '$[0]')
        ) end
    {%- for name in ['data', 'matches', 'datas'] %}
    when contains({{ payload }}, '"{{ name }}"') and json_type({{ payload }}, '$.{{ name }}') = 'ARRAY'
        then case when json_array_length({{ payload }}, '$.{{ name }}') = 1 then json_extract({{ payload }}, '$.{{ name }}[0]') end
    {%- endfor %}
    else {{ payload }}
end
{%- endmacro %}

{#- All lists among the values `found` behind each other, as one; `arrays` are those that are filled. Where there is none,
    the single entry. Almost every answer has one list, which is then taken as it is. -#}
{% macro history_list(history, found, arrays) -%}
case
    when len({{ arrays }}) = 1 then {{ arrays }}[1]
    when len({{ arrays }}) > 1
        then '[' || array_to_string(list_transform({{ arrays }}, lambda x: cast(x as varchar)[2:-2]), ',') || ']'
    {%- if history.one_entry %}
    when len({{ found }}) > 1
        then '[' || list_filter({{ found }}[{{ history.places | length + 1 }}:], lambda x: starts_with(cast(x as varchar), '{'))[1] || ']'
    {%- endif %}
end
{%- endmacro %}

{#- The lists among those values that are not empty. Of one value, as almost always, no list is searched. -#}
{% macro history_arrays(found) -%}
case
    when list_count({{ found }}) = 0 then []
    when list_count({{ found }}) = 1 and starts_with(cast(list_any_value({{ found }}) as varchar), '[{') then [list_any_value({{ found }})]
    else list_filter({{ found }}, lambda x: starts_with(cast(x as varchar), '[') and cast(x as varchar) <> '[]')
end
{%- endmacro %}

{#- The list with each group of positions at one organisation (Bright Data, scrapers of LinkedIn) taken apart: a position
    is an entry, and the organisation's name and id are its own unless it says otherwise. DuckDB writes JSON without blanks,
    so a list without `":[{` has no group. -#}
{% macro history_unfolded(history, entries) -%}
case
    when contains({{ entries }}, '":[{')
        then '[' || array_to_string(flatten(list_transform(
            json_extract({{ entries }}, '$[*]'),
            lambda entry: case
                {%- for group in history.groups %}
                when json_type(entry, '$.{{ group }}[0]') = 'OBJECT' then list_transform(
                    json_extract(entry, '$.{{ group }}[*]'),
                    lambda part: cast(json_merge_patch(json_object(
                        'company', list_filter(json_extract(entry, {{ member_paths(history.group_name) }}), lambda x: json_type(x) <> 'NULL')[1],
                        'company_id', list_filter(json_extract(entry, {{ member_paths(history.group_id) }}), lambda x: json_type(x) <> 'NULL')[1]
                    ), part) as varchar)
                )
                {%- endfor %}
                else [cast(entry as varchar)]
            end
        )), ',') || ']'
    else {{ entries }}
end
{%- endmacro %}

{#- How many entries a list holds, counted in its JSON and not by the code that takes it apart. -#}
{% macro history_length(history, entries) -%}
json_array_length({{ entries }})
{%- if history.groups %}
+ case
    when {% for group in history.groups %}contains({{ entries }}, '"{{ group }}"'){{ ' or ' if not loop.last }}{% endfor %}

        then coalesce(list_sum(list_transform(json_extract({{ entries }}, '$[*]'), lambda entry: case
            {%- for group in history.groups %}
            when json_type(entry, '$.{{ group }}[0]') = 'OBJECT' then json_array_length(entry, '$.{{ group }}') - 1
            {%- endfor %}
            else 0
        end)), 0)
    else 0
end
{%- endif %}
{%- endmacro %}

{% macro member_paths(names) -%}
[{% for name in names %}'$.{{ name }}'{{ ', ' if not loop.last }}{% endfor %}]
{%- endmacro %}

{#- The type that an entry is parsed into: these members, all as text. A member of another type arrives as its JSON text, an
    entry that is no object as nothing. -#}
{% macro entry_type(names) -%}
{{ '{' }}{% for name in names %}"{{ name }}":"VARCHAR"{{ ',' if not loop.last }}{% endfor %}{{ '}' }}
{%- endmacro %}

{#- Every member that is read of an entry, once, with blanks between them. -#}
{% macro entry_members(history) -%}
{%- set names = ['subtitle'] -%}
{%- for field, members in history.members.items() -%}
{%- for member in members -%}
{%- for name in ([member] if member is string else member) -%}{%- if names.append(name.split('.')[0]) -%}{%- endif -%}{%- endfor -%}
{%- endfor -%}
{%- endfor -%}
{{ names | unique | join(' ') }}
{%- endmacro %}

{#- The first member among these that is there; `company.id` is a member of an object. Picked first and looked at in the next
    step: an expression for each of twenty names takes the planner longer than a small batch takes to build. -#}
{% macro member(names) -%}
coalesce({% for name in names %}nullif({{ member_value(name) }}, ''){{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro member_value(name) -%}
{%- if '.' in name -%}
case when starts_with(e."{{ name.split('.')[0] }}", '{') then json_extract_string(e."{{ name.split('.')[0] }}", '$.{{ name.split('.')[1:] | join('.') }}') end
{%- else -%}
e."{{ name }}"
{%- endif -%}
{%- endmacro %}

{#- The name in a member: text, or an object with a name in it, or a list of both. What is a number, true or false is
    none (People Data Labs says `true` for what a plan does not show). -#}
{% macro name_of(text) -%}
case
    when {{ text }} in ('true', 'false', 'null') then null
    when {{ text }} < ':' and regexp_full_match({{ text }}, '[0-9.]+') then null
    when starts_with({{ text }}, '{') and json_valid({{ text }})
        then coalesce(json_extract_string({{ text }}, '$.name'), json_extract_string({{ text }}, '$.title'), json_extract_string({{ text }}, '$.text'))
    when starts_with({{ text }}, '[') and json_valid({{ text }})
        then array_to_string(list_transform(
            json_extract({{ text }}, '$[*]'),
            lambda x: case when json_type(x) = 'OBJECT' then json_extract_string(x, '$.name') when json_type(x) = 'VARCHAR' then json_extract_string(x, '$') end
        ), ', ')
    else {{ text }}
end
{%- endmacro %}

{#- Text of a date: as it is, or of its parts (`{"year": 2015, "month": 3, "day": null}`). Zeros are nothing. -#}
{% macro date_text(text) -%}
case
    when starts_with({{ text }}, '{') and json_valid({{ text }}) then list_transform(
        [json_extract_string({{ text }}, ['$.year', '$.month', '$.day', '$.text', '$.date', '$.value', '$."$date"'])],
        lambda part: coalesce(
            {{ parts_text('part[1]', 'part[2]', 'part[3]') }},
            nullif(part[4], ''), nullif(part[5], ''), nullif(part[6], ''), nullif(part[7], ''),
            case when coalesce(nullif(part[2], '0'), nullif(part[3], '0')) is not null then {{ text }} end
        )
    )[1]
    when {{ text }} = '0' then null
    else {{ filled(text) }}
end
{%- endmacro %}

{#- The first date among members that hold a year, a month and a day each. -#}
{% macro date_of_parts(parts) -%}
coalesce({% for part in parts %}{{ parts_text('e."' ~ part[0] ~ '"', ('e."' ~ part[1] ~ '"') if part | length > 1 else 'null', ('e."' ~ part[2] ~ '"') if part | length > 2 else 'null') }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro parts_text(year, month, day) -%}
case
    when {{ year }} is null or trim({{ year }}) in ('', '0') then null
    when {{ month }} is null or trim({{ month }}) in ('', '0') then {{ year }}
    when try_cast({{ month }} as integer) is null then concat_ws(' ', nullif({{ day }}, '0'), {{ month }}, {{ year }})
    else concat_ws('-', {{ year }}, lpad({{ month }}, 2, '0'), lpad(nullif(nullif({{ day }}, '0'), ''), 2, '0'))
end
{%- endmacro %}

{#- A start and an end in one member: `Jan 2015 - Present · 3 yrs`, `2015-2019`; side 1 or 2, null where it is no such. -#}
{% macro range_end(text, side) -%}
case
    when {{ text }} is null then null
    when regexp_matches(split_part({{ text }}, ' · ', 1), '{{ spaced_range() }}') then regexp_extract(split_part({{ text }}, ' · ', 1), '{{ spaced_range() }}', {{ side }})
    when regexp_matches(split_part({{ text }}, ' · ', 1), '{{ close_range() }}') then regexp_extract(split_part({{ text }}, ' · ', 1), '{{ close_range() }}', {{ side }})
end
{%- endmacro %}

{% macro spaced_range() -%}
^(.*[0-9]{4})\s+(?:-|–|—|to|bis|until|till|hasta|à|au)\s+(.+)$
{%- endmacro %}

{% macro close_range() -%}
^([^0-9]*[0-9]{4})\s*[-–—]\s*([^0-9]*[0-9]{4}|[^0-9]+)$
{%- endmacro %}

{#- Text, or null where there is nothing in it. What sorts at or after `!` starts with no blank: the cheap test first. -#}
{% macro filled(text) -%}
case when {{ text }} >= '!' then {{ text }} when trim({{ text }}, e' \t\r\n') <> '' then {{ text }} end
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

{#- True where an entry has none of the members of these fields, and one that no shape declares but that is called alike:
    it was not understood. `raw` is the entry as it came. -#}
{% macro has_unknown(history, fields, alike, unlike, raw) -%}
coalesce(len(list_filter(json_keys({{ raw }}), lambda x: list_contains([{% for field in fields %}{% for member in history.members[field] %}{% for name in ([member] if member is string else member) %}'{{ name.split('.')[0] }}', {% endfor %}{% endfor %}{% endfor %}''], x))) = 0
    and len(list_filter(json_keys({{ raw }}), lambda x: case
        when regexp_full_match(x, '[A-Za-z0-9_ -]+') and regexp_matches(lower(x), '{{ alike }}') and not regexp_matches(lower(x), '{{ unlike }}')
            then json_type({{ raw }}, '$."' || x || '"') in ('VARCHAR', 'UBIGINT', 'BIGINT', 'OBJECT')
        else false
    end)) > 0, false)
{%- endmacro %}

{#- True for an entry that says nothing: null, blank text, no member that is filled (`is_primary: false` alone fills none). -#}
{% macro is_nothing(raw) -%}
case json_type({{ raw }})
    when 'OBJECT' then len(list_filter(json_extract({{ raw }}, '$.*'), lambda x: trim(cast(x as varchar), e'" \t\r\n') not in ('null', '', '[]', '{}', 'false'))) = 0
    when 'VARCHAR' then {{ filled("json_extract_string(" ~ raw ~ ", '$')") }} is null
    when 'NULL' then true
    when 'ARRAY' then json_array_length({{ raw }}) = 0
    else false
end
{%- endmacro %}
