-- The home page of each company as it was fetched last, whole.
select
  md5('workflow/' || s.workflow_slug)::uuid as workflow_id,
  s.company_domain,
  s.homepage_url,
  s.homepage_html,
  s.fetched_at as scraped_at,
  s.client_slug,
  s.batch_key,
  s.item_id
from company_homepage_scrapes s
