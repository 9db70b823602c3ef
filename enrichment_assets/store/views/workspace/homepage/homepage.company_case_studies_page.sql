-- The same under its other name.
select
  md5('workflow/' || s.workflow_slug)::uuid as workflow_id,
  s.company_domain,
  s.urls,
  s.fetched_at as extracted_at,
  s.client_slug,
  s.batch_key,
  s.item_id
from company_case_studies s
