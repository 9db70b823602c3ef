-- One row per day and campaign, and one per day and sending account: `subject` says which. The service counts bounces by
-- account only, and opportunities by campaign only: they are null in the other rows. Automatic replies stand apart.
select
    d.client_slug,
    d.day,
    case when d.campaign_id is not null then 'campaign' else 'account' end as subject,
    d.campaign_id,
    c.name as campaign_name,
    d.email_account,
    d.sent,
    d.contacted,
    d.new_leads_contacted,
    d.unique_opened as opened,
    d.unique_replies as replied,
    d.unique_replies_automatic as replied_automatically,
    d.unique_clicks as clicked,
    d.bounced,
    d.unique_opportunities as opportunities,
    d.pulled_at
from instantly_daily_analytics_raw as d
left join instantly_campaigns_raw as c on c.client_slug = d.client_slug and c.campaign_id = d.campaign_id
