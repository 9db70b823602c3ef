{#- Dates as providers give them: a year, a month, a day or a timestamp, in a few spellings. Never an error:
    what cannot be read is null here, and the text stays in its own column. -#}

{#- The earliest day that the text can mean. -#}
{% macro date_low(text) -%}
case
    when {{ text }} is null then null
    when length({{ text }}) = 10 then try_cast({{ text }} as date)
    when length({{ text }}) = 7 and {{ text }}[5] = '-' then try_cast({{ text }} || '-01' as date)
    when length({{ text }}) = 4 then try_cast({{ text }} || '-01-01' as date)
    when regexp_full_match({{ text }}, '\d{4}-\d{2}-\d{2}[T ].*') then try_cast(left({{ text }}, 10) as date)
    when regexp_full_match({{ text }}, '\d{4}-\d') then try_cast(left({{ text }}, 5) || '0' || right({{ text }}, 1) || '-01' as date)
    when regexp_full_match({{ text }}, '\d{1,2}/\d{4}') then try_cast(right({{ text }}, 4) || '-' || lpad(split_part({{ text }}, '/', 1), 2, '0') || '-01' as date)
    when length({{ text }}) < 30 then cast(try_strptime({{ text }}, ['%b %Y', '%B %Y', '%b, %Y', '%B, %Y']) as date)
end
{%- endmacro %}

{#- The latest day that the text can mean, `low` being the earliest. -#}
{% macro date_high(text, low) -%}
case
    when {{ low }} is null then null
    when length({{ text }}) = 4 then make_date(year({{ low }}), 12, 31)
    when length({{ text }}) = 10 or regexp_full_match({{ text }}, '\d{4}-\d{2}-\d{2}[T ].*') then {{ low }}
    else last_day({{ low }})
end
{%- endmacro %}

{#- A date between the years 1800 and 2199, or null: anything else is a slip, and no database needs to hold it. -#}
{% macro plausible(day) -%}
case when {{ day }} between date '1800-01-01' and date '2199-12-31' then {{ day }} end
{%- endmacro %}

{#- True for the words that stand where an end date would, of a job that goes on. -#}
{% macro means_now(text) -%}
coalesce(list_contains(['present', 'current', 'now', 'today', 'ongoing'], lower(trim({{ text }}))), false)
{%- endmacro %}
