-- What each provider was asked, gave and cost, and how fast. Counts are of states; a company call that answers for five
-- leads is five states and one call, and an answer that was reused is no call. Latency is of attempts, from the
-- first byte that left to the whole answer: waits for our own rate are not the provider's.
with states as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        max(provider) as provider,
        count(*) filter (where outcome is not null) as answered,
        count(*) filter (where outcome = 'found') as found,
        count(*) filter (where outcome = 'not_found') as not_found,
        count(*) filter (where status = 'FAILED') as failed,
        count(*) filter (where status = 'AMBIGUOUS') as ambiguous,
        cast(sum(cost) as decimal(18, 6)) as cost
    from {{ ref('stg_results') }}
    group by all

),

calls as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        count(*) filter (where attempt > 0) as calls,
        sum(attempt) - count(*) filter (where attempt > 0) as retries,
        count(reused_from) as reused
    from {{ source('hq', 'provider_calls') }}
    group by all

),

times as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        quantile_cont(duration_ms, 0.5) as p50_ms,
        quantile_cont(duration_ms, 0.95) as p95_ms
    from {{ source('hq', 'enrichment_results_log') }}
    where duration_ms is not null
    group by all

),

errors as (

    select
        client_slug,
        batch_key,
        workflow_slug,
        string_agg(error_class || ' ' || errors, ', ' order by errors desc, error_class) as error_classes
    from (
        select client_slug, batch_key, workflow_slug, error_class, count(*) as errors
        from {{ source('hq', 'enrichment_results_log') }}
        where error_class is not null
        group by all
    )
    group by all

)

select
    s.client_slug,
    s.batch_key,
    s.workflow_slug,
    s.provider,
    s.answered,
    s.found,
    s.not_found,
    s.failed,
    s.ambiguous,
    s.found / nullif(s.answered, 0) as found_rate,
    coalesce(c.calls, 0) as calls,
    cast(coalesce(c.retries, 0) as bigint) as retries,
    coalesce(c.reused, 0) as reused,
    e.error_classes,
    s.cost,
    cast(s.cost / nullif(s.found, 0) as double) as cost_per_found,
    t.p50_ms,
    t.p95_ms
from states as s
left join calls as c
    on c.client_slug = s.client_slug and c.batch_key = s.batch_key and c.workflow_slug = s.workflow_slug
left join times as t
    on t.client_slug = s.client_slug and t.batch_key = s.batch_key and t.workflow_slug = s.workflow_slug
left join errors as e
    on e.client_slug = s.client_slug and e.batch_key = s.batch_key and e.workflow_slug = s.workflow_slug
