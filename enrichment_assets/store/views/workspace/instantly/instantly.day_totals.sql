-- One row per client and day: bounces summed over its sending accounts, everything else over its campaigns.
select
    d.client_slug,
    d.day,
    sum(d.sent) filter (where d.campaign_id is not null) as sent,
    sum(d.contacted) filter (where d.campaign_id is not null) as contacted,
    sum(d.unique_opened) filter (where d.campaign_id is not null) as opened,
    sum(d.unique_replies) filter (where d.campaign_id is not null) as replied,
    sum(d.unique_replies_automatic) filter (where d.campaign_id is not null) as replied_automatically,
    sum(d.unique_opportunities) filter (where d.campaign_id is not null) as opportunities,
    sum(d.bounced) filter (where d.email_account is not null) as bounced
from instantly_daily_analytics_raw as d
group by d.client_slug, d.day
