-- One row per campaign: where it stands, and what its mails became since it began. A rate is per lead that was written to.
-- `replied` has no automatic replies in it (the service counts them apart), so none are taken off. A campaign that has
-- sent nothing has no figures at the service: they are 0 once the client's figures were fetched, and null before.
select
    c.client_slug,
    c.campaign_id,
    c.name,
    c.status_code,
    case c.status_code
        when 0 then 'draft' when 1 then 'active' when 2 then 'paused' when 3 then 'completed'
        when 4 then 'running subsequences' when -1 then 'accounts unhealthy' when -2 then 'bounce protection'
        when -99 then 'account suspended' else 'unknown code ' || c.status_code
    end as status,
    coalesce(a.leads, nothing.figure) as leads,
    coalesce(a.contacted, nothing.figure) as contacted,
    coalesce(a.sent, nothing.figure) as sent,
    case when c.open_tracking is not false then coalesce(a.opened, nothing.figure) end as opened,
    coalesce(a.replied, nothing.figure) as replied,
    coalesce(a.replied_automatically, nothing.figure) as replied_automatically,
    coalesce(a.bounced, nothing.figure) as bounced,
    coalesce(a.unsubscribed, nothing.figure) as unsubscribed,
    coalesce(a.opportunities, nothing.figure) as opportunities,
    case when c.open_tracking is not false then a.opened::double precision / nullif(a.contacted, 0) end as open_rate,
    a.replied::double precision / nullif(a.contacted, 0) as reply_rate,
    a.bounced::double precision / nullif(a.contacted, 0) as bounce_rate,
    c.created_at,
    c.pulled_at
from instantly_campaigns_raw as c
left join instantly_campaign_analytics_raw as a on a.client_slug = c.client_slug and a.campaign_id = c.campaign_id
left join (select client_slug, 0 as figure from instantly_overview_raw) as nothing on nothing.client_slug = c.client_slug
