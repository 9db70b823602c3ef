{#- Dates as providers give them, read as the days that they can mean. Never an error: what cannot be read has no row
    here, and the text stays in its own column. The words and shapes are seeds; `domain/dates.py` reads the same way. -#}

{#- What distinct texts are told by: a timestamp by its day, so that a million of them are some thousand texts. -#}
{% macro date_key(text) -%}
case
    when length({{ text }}) between 17 and 40
        and regexp_full_match({{ text }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-4]):[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)?(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?')
        then left({{ text }}, 10)
    else {{ text }}
end
{%- endmacro %}

{#- One row per text of the relation `texts` (column `text`) that can be read: first and last day, and whether it says,
    as an end, that there is none. A job history has few distinct texts: they are read once, and joined. -#}
{% macro date_readings(texts) -%}
    with plain as (
        select text, {{ plain_date_text('text') }} as plain
        from {{ texts }}
        where length(text) <= {{ longest_date() }}
    ),

    bare as (
        select text, plain, {{ bare_date_text('plain') }} as bare
        from plain
    ),

    parts as (
        select
            b.text,
            cast({{ date_part_of('y') }} as integer) as y,
            {{ date_part_of('m') }} as m,
            cast({{ date_part_of('d') }} as integer) as d,
            {{ date_part_of('u') }} as u,
            cast({{ date_part_of('n') }} as integer) as n,
            cast({{ date_part_of('k') }} as integer) as k,
            {{ date_part_of('x') }} as x
        from (select text, {{ date_shape('bare') }} as shape, {{ date_parts('bare') }} as tokens from bare) as b
        inner join {{ ref('date_shapes') }} as s on s.shape = b.shape
    ),

    spans as (
        select
            p.text,
            p.y,
            p.d,
            p.n,
            p.k,
            u.kind as unit,
            case
                when u.kind = 'quarter' then 3 * p.n - 2
                when u.kind = 'half' then 6 * p.n - 5
                when p.m is null or p.m in ('0', '00') then 1
                else coalesce(try_cast(p.m as integer), m.first_month, seasons.first_month)
            end as first_month,
            case
                when u.kind = 'quarter' then 3 * p.n
                when u.kind = 'half' then 6 * p.n
                when p.m is null or p.m in ('0', '00') then 12
                else coalesce(try_cast(p.m as integer), m.last_month, seasons.last_month)
            end as last_month
        from parts as p
        left join {{ ref('date_words') }} as m on m.kind = 'month' and m.word = p.m
        left join {{ ref('date_words') }} as seasons on seasons.kind = 'season' and seasons.word = {{ only_if('p.d is null', 'p.m') }}
        left join {{ ref('date_words') }} as x on x.word = p.x and x.kind = 'weekday'
        left join {{ ref('date_words') }} as u on u.word = p.u and u.kind in ('quarter', 'half', 'week')
        where p.y >= {{ first_date_year() }} and (p.x is null or x.word is not null) and (p.u is null or u.word is not null)
    ),

    days as (
        select
            text,
            case
                when unit = 'week' then cast(date_trunc('week', make_date(y, 1, 4)) as date) + cast(7 * (n - 1) + coalesce(k - 1, 0) as integer)
                else cast(make_date(y, 1, 1) + to_months(first_month - 1) as date) + cast(greatest(coalesce(d, 0), 1) - 1 as integer)
            end as low,
            case
                when unit = 'week' then cast(date_trunc('week', make_date(y, 1, 4)) as date) + cast(7 * (n - 1) + coalesce(k - 1, 6) as integer)
                when d > 0 then cast(make_date(y, 1, 1) + to_months(first_month - 1) as date) + cast(d - 1 as integer)
                else last_day(cast(make_date(y, 1, 1) + to_months(last_month - 1) as date))
            end as high
        from spans
        where case
            when unit = 'week' then n >= 1 and coalesce(k, 1) between 1 and 7
                and isoyear(cast(date_trunc('week', make_date(y, 1, 4)) as date) + cast(7 * (n - 1) + 3 as integer)) = y
            when unit is not null then k is null and n >= 1 and last_month <= 12
            when d > 0 then first_month = last_month and first_month between 1 and 12
                and d <= day(last_day(cast(make_date(y, 1, 1) + to_months(first_month - 1) as date)))
            else first_month between 0 and 12 and (y < 9999 or last_month <= 12)
        end
    ),

    epochs as (
        select
            text,
            date '1970-01-01' + cast(floor(try_cast(split_part(trim(text), '.', 1) as bigint) / case
                when regexp_full_match(trim(text), '-?[0-9]{9,10}([.][0-9]+)?') then 86400.0
                when regexp_full_match(trim(text), '-?[0-9]{11,13}([.][0-9]+)?') then 86400000.0
                when regexp_full_match(trim(text), '-?[0-9]{16}([.][0-9]+)?') then 86400000000.0
            end) as integer) as day
        from {{ texts }}
        where length(text) <= {{ longest_date() }} and regexp_full_match(trim(text), '-?[0-9]{9,16}([.][0-9]+)?')
    )

    select
        text,
        min(low) as earliest,
        max(high) as latest,
        bool_or(is_open) as is_open
    from (
        select text, low, high, year(high) >= {{ open_date_year() }} as is_open from days
        union all
        select text, day, day, year(day) >= {{ open_date_year() }} from epochs where day is not null
        union all
        select p.text, null, null, true
        from plain as p
        inner join {{ ref('date_words') }} as w on w.word = p.plain and w.kind = 'open'
    )
    group by text
{%- endmacro %}

{#- The part of a date that has a role, null where the shape has none such. -#}
{% macro date_part_of(role) -%}
case when contains(s.roles, '{{ role }}') then b.tokens[instr(s.roles, '{{ role }}')] end
{%- endmacro %}
