-- One row per (item, address or number): what counts of all that was said of it, and whose word it is.
--
-- E-mail: a verdict that says something before one that does not, a verifier's before a finder's own, the worse before the
-- better, the later step. Phone: who may not be called is not called, whoever says so, also the uploaded row of the person;
-- then `invalid_number`, whoever says it; the kind of number is the latest step's word.
with statements as (

    select
        r.*,
        v.severity,
        coalesce(v.is_meaningful, false) as is_meaningful,
        r.kind is distinct from 'other' as names_kind
    from {{ ref('stg_contact_records') }} as r
    left join {{ ref('value_verdicts') }} as v on v.verdict = r.verdict

),

judged as (

    select
        client_slug,
        batch_key,
        item_id,
        field,
        key,
        first(
            {
                'verdict': verdict, 'status': coalesce(if(verdict = 'do_not_call', do_not_call, status), status), 'sub_status': sub_status,
                'by': coalesce(source_workflow, source_kind), 'confidence': confidence, 'at': fetched_at
            }
            order by
                verdict is null,
                case when field = 'email' then not is_meaningful end,
                case when field = 'email' then role <> 'verdict' end,
                severity nulls last,
                position desc,
                source_workflow nulls last,
                status, sub_status, confidence desc nulls last
        ) as best,
        first(kind order by not names_kind, position desc, source_workflow nulls last, kind) as kind,
        first(do_not_call order by verdict is distinct from 'do_not_call', do_not_call is null, position desc, source_workflow nulls last, do_not_call)
            as do_not_call
    from statements
    group by all

),

-- The uploaded row's own flag is about the person, whatever the number.
flagged as (

    {{ not_to_be_called() }}

)

select
    j.client_slug,
    j.batch_key,
    j.item_id,
    j.field,
    j.key,
    case when f.word is not null then 'do_not_call' else j.best.verdict end as verdict,
    case when f.word is not null then f.word when j.best.verdict is not null then concat_ws(', ', j.best.status, nullif(j.best.sub_status, '')) end as said,
    case when f.word is not null then 'upload' when j.best.verdict is not null then j.best.by end as said_by,
    case when j.best.verdict is not null and j.field = 'email' then j.best.confidence end as confidence,
    case when j.best.verdict is not null then j.best.at end as said_at,
    j.kind,
    coalesce(f.word, j.do_not_call) as do_not_call
from judged as j
left join flagged as f on f.batch_key = j.batch_key and f.item_id = {{ only_if("j.field = 'phone'", 'j.item_id') }}
