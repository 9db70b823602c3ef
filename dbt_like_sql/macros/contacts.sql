{#- E-mail addresses and phone numbers as records: what stands together in an answer is read together. -#}

{#- The records and the single fields that `fields` of an answer, `details` of an item or an emitted object can hold. -#}
{% macro contact_document() -%}
{"email_records":[{"address":"VARCHAR","status":"VARCHAR","sub_status":"VARCHAR","confidence":"DOUBLE","type":"VARCHAR","rank":"DOUBLE","role":"VARCHAR","rejected":"VARCHAR","column":"VARCHAR"}],"phone_records":[{"number":"VARCHAR","status":"VARCHAR","do_not_call":"VARCHAR","confidence":"DOUBLE","type":"VARCHAR","rank":"DOUBLE","role":"VARCHAR","rejected":"VARCHAR","column":"VARCHAR"}],"email":"VARCHAR","email_status":"VARCHAR","email_score":"VARCHAR","email_verification_score":"VARCHAR","phone":"VARCHAR","phone_status":"VARCHAR","phone_type":"VARCHAR","phone_confidence":"VARCHAR","phone_do_not_call":"VARCHAR"}
{%- endmacro %}

{#- All e-mail records of a parsed document, in one shape with those of phones: its records, else the one that its
    single fields make (`value` is the field itself). -#}
{% macro email_records_of(d, value) -%}
case
    when len({{ d }}.email_records) > 0 then list_transform({{ d }}.email_records, lambda r: {
        'value': r.address, 'status': r.status, 'sub_status': r.sub_status, 'confidence': r.confidence, 'type': r.type,
        'record_rank': r.rank, 'do_not_call': cast(null as varchar), 'role': coalesce(r.role, 'address'),
        'rejected_reason': r.rejected, 'uploaded_column': r.column
    })
    when {{ filled(value) }} is not null then [{
        'value': trim({{ value }}), 'status': {{ d }}.email_status, 'sub_status': cast(null as varchar),
        'confidence': {{ sureness('coalesce(' ~ d ~ '.email_score, ' ~ d ~ '.email_verification_score)') }},
        'type': cast(null as varchar), 'record_rank': cast(null as double), 'do_not_call': cast(null as varchar),
        'role': 'address', 'rejected_reason': cast(null as varchar), 'uploaded_column': cast(null as varchar)
    }]
end
{%- endmacro %}

{#- The same for phone numbers. -#}
{% macro phone_records_of(d, value) -%}
case
    when len({{ d }}.phone_records) > 0 then list_transform({{ d }}.phone_records, lambda r: {
        'value': r.number, 'status': r.status, 'sub_status': cast(null as varchar), 'confidence': r.confidence, 'type': r.type,
        'record_rank': r.rank, 'do_not_call': r.do_not_call, 'role': coalesce(r.role, 'address'),
        'rejected_reason': r.rejected, 'uploaded_column': r.column
    })
    when {{ filled(value) }} is not null then [{
        'value': trim({{ value }}), 'status': {{ d }}.phone_status, 'sub_status': cast(null as varchar),
        'confidence': {{ sureness(d ~ '.phone_confidence') }}, 'type': {{ d }}.phone_type, 'record_rank': cast(null as double),
        'do_not_call': {{ d }}.phone_do_not_call, 'role': 'address', 'rejected_reason': cast(null as varchar),
        'uploaded_column': cast(null as varchar)
    }]
end
{%- endmacro %}

{#- How sure a source is, 0 to 1, from `97`, `0.97` or `high`. -#}
{% macro sureness(text) -%}
case lower({{ text }})
    when 'very_high' then 0.95 when 'high' then 0.9 when 'medium' then 0.6 when 'low' then 0.3 when 'very_low' then 0.1
    else case
        when try_cast({{ text }} as double) > 100 or try_cast({{ text }} as double) < 0 then null
        when try_cast({{ text }} as double) > 1 then try_cast({{ text }} as double) / 100
        else try_cast({{ text }} as double)
    end
end
{%- endmacro %}

{#- `Catch-all`, `CATCH ALL` and `catchAll` are `catch_all`: how a provider's word is looked up in the seed `contact_words`. -#}
{% macro folded_word(text) -%}
trim(regexp_replace(lower(regexp_replace({{ text }}, '([a-z0-9])([A-Z])', '\1_\2', 'g')), '[^a-z0-9]+', '_', 'g'), '_')
{%- endmacro %}

{#- What addresses and numbers are compared by. -#}
{% macro contact_key(field, value) -%}
case {{ field }} when 'email' then lower(trim({{ value }})) else regexp_replace({{ value }}, '\D', '', 'g') end
{%- endmacro %}

{#- Items whose uploaded row says that the person is not to be called, whatever the number, with its word. -#}
{% macro not_to_be_called() -%}
select i.batch_key, i.item_id, i.word
from (
    select batch_key, item_id, json_extract_string(details, '$.do_not_call') as word
    from {{ source('hq', 'batch_items') }}
    where contains(details, '"do_not_call"')
) as i
left join {{ ref('contact_words') }} as w on w.kind = 'do_not_call' and w.word = {{ folded_word('i.word') }}
where w.word is null and {{ filled('i.word') }} is not null
{%- endmacro %}
