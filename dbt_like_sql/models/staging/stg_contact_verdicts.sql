-- One row per (item, address or number): what counts of all that was said of it, and whose word it is.
--
-- E-mail: a verdict that says something before one that does not, a verifier's before a finder's own, the worse before the
-- better, the later step. Phone: who may not be called is not called, whoever says so, also the uploaded row of the person;
-- then `invalid_number`, whoever says it; the kind of number is the latest step's word.
--
-- Of an address also how far all sources agree (`domain.contacts` does the same): whether one says that it can be written to
-- and another that it cannot or that nobody can tell; how many found it by themselves; and whether that confirms it. The
-- address of a host that takes mail for any name needs two finders.
with statements as (

    select
        r.*,
        v.severity,
        coalesce(v.is_meaningful, false) as is_meaningful,
        case when v.is_bad then 'bad' when r.verdict = 'valid' then 'valid' else 'uncertain' end as standing,
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
            as do_not_call,
        count(distinct standing) filter (where is_meaningful) > 1
        and count(distinct coalesce(source_workflow, source_kind)) filter (where is_meaningful) > 1 as sources_disagree,
        bool_or(is_meaningful and standing = 'bad') as is_called_bad,
        -- A workflow that is told the address gives it back: only one that looks for it (`find-...`) has found it.
        cast(count(distinct coalesce(source_provider, source_workflow)) filter (
            where starts_with(source_workflow, 'find-') and role <> 'verdict' and rejected_reason is null
        ) as integer) as finders
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
    coalesce(f.word, j.do_not_call) as do_not_call,
    case when j.field = 'email' then j.sources_disagree end as sources_disagree,
    case when j.field = 'email' then j.finders end as finders,
    case
        when j.field = 'email'
            then not coalesce(j.is_called_bad, false)
            and coalesce(
                (j.best.verdict = 'valid' and not j.sources_disagree)
                or (j.best.verdict in ('valid', 'accept_all') and j.finders >= 2),
                false
            )
    end as is_confirmed
from judged as j
left join flagged as f on f.batch_key = j.batch_key and f.item_id = {{ only_if("j.field = 'phone'", 'j.item_id') }}
