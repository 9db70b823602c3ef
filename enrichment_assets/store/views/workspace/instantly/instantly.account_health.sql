-- One row per sending account: how it stands, the last 30 days of its figures that were fetched, and whether it wants
-- somebody to look. Over 5 % bounces, or a status below 0: bad; over 2 %, or a warm-up score under 80: to be watched. The
-- days are counted back from the newest one that the client has figures of.
with recent as (

    select
        d.client_slug,
        d.email_account,
        sum(d.sent) as sent,
        sum(d.contacted) as contacted,
        sum(d.unique_replies) as replied,
        sum(d.unique_replies_automatic) as replied_automatically,
        sum(d.bounced) as bounced,
        max(d.day) as last_sent_on
    from instantly_daily_analytics_raw as d
    inner join (select client_slug, max(day) as newest from instantly_daily_analytics_raw group by client_slug) as n
        on n.client_slug = d.client_slug and d.day > n.newest - 30
    where d.email_account is not null
    group by d.client_slug, d.email_account

)

select
    a.client_slug,
    a.email_account,
    a.status_code,
    case a.status_code
        when 1 then 'active' when 2 then 'paused' when -1 then 'connection error' when -2 then 'soft bounce error'
        when -3 then 'sending error' else 'unknown code ' || a.status_code
    end as status,
    case
        when a.status_code < 0 or r.bounced > 0.05 * r.sent then 'bad'
        when r.bounced > 0.02 * r.sent or a.warmup_score < 80 then 'watch'
        when a.status_code = 2 then 'paused'
        when a.status_code = 1 then 'good'
    end as health,
    a.warmup_score,
    a.daily_limit,
    r.sent as sent_30_days,
    r.replied as replied_30_days,
    r.replied_automatically as replied_automatically_30_days,
    r.bounced as bounced_30_days,
    r.bounced::double precision / nullif(r.sent, 0) as bounce_rate,
    r.last_sent_on,
    a.pulled_at
from instantly_accounts_raw as a
left join recent as r on r.client_slug = a.client_slug and r.email_account = a.email_account
