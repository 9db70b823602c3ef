-- One row per client and company, as its newest item has it; the id follows from both.
select distinct on (i.client_id, i.company_key)
  md5(i.client_id || '/' || i.company_key)::uuid as id,
  i.company_name as name,
  coalesce(i.company_domain, d.fields ->> 'company_domain') as domain,
  i.company_website as website,
  i.company_linkedin_url as linkedin_url,
  i.industry,
  i.client_id,
  i.created_at
from batch_items i
left join enrichment_results d on d.item_id = i.id and d.workflow_slug = 'normalise-domain'
where i.company_key is not null
order by i.client_id, i.company_key, i.id desc
