{#- How organisations are compared. A key is for comparing only; what a provider wrote stays in its own column. -#}

{#- A name to compare by: lower case, no accents, no punctuation (`U.S.` is `US`), `&` as `and`, no legal form at the
    end, no leading `the`. Whole words only: `Virginia` and `West Virginia` stay two names. A name of more than 200 characters is cut
    and closed with its hash, because no index holds it. -#}
{% macro organisation_name_key(name) -%}
{%- set plain = "regexp_replace(replace(replace(strip_accents(lower(" ~ name ~ ")), '&', ' and '), chr(39), ''), '\\b([a-z])\\.', '\\1', 'g')" -%}
{%- set words = "trim(regexp_replace(" ~ plain ~ ", '[^\\p{L}\\p{N}]+', ' ', 'g'))" -%}
{%- set bare = "regexp_replace(" ~ words ~ ", '( (incorporated|inc|corporation|corp|company|co|limited|ltd|llc|llp|lp|plc|pllc|pc|gmbh|ag|kg|ohg|ug|se|sa|sas|sarl|srl|spa|bv|nv|ab|as|oy|oyj|aps|pty|pte|kk|mbh|and co))+$', '')" -%}
{%- set key = "nullif(regexp_replace(" ~ bare ~ ", '^the ', ''), '')" -%}
case when length({{ key }}) > 200 then left({{ key }}, 160) || ' ' || md5({{ key }}) else {{ key }} end
{%- endmacro %}

{#- The host of an address: no scheme, user, `www.`, port or path; null where there is no dot in it. -#}
{% macro host_of(address) -%}
nullif(regexp_extract(lower(trim({{ address }})), '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@?#]*@)?(?:www\.)?([^/:?#\s]+\.[^/:?#\s]+)', 1), '')
{%- endmacro %}

{#- The stable part of a LinkedIn company address: what follows `/company/`, `/school/` or `/showcase/`. -#}
{% macro linkedin_company(address) -%}
nullif(regexp_extract(lower(trim({{ address }})), 'linkedin\.com/(?:company|school|showcase)/([^/?#\s]+)', 1), '')
{%- endmacro %}
