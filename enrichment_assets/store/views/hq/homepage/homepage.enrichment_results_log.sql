-- Every attempt of every step, and where its result goes.
select
  l.id,
  md5('workflow/' || l.workflow_slug)::uuid as workflow_id,
  l.workflow_slug,
  md5(l.client_id || '/' || i.company_key)::uuid as company_id,
  coalesce(i.company_domain, d.fields ->> 'company_domain') as company_domain,
  s.play_name,
  s.step_number,
  l.status,
  s.result_table,
  l.batch_id,
  l.created_at,
  l.client_id
from enrichment_results_log l
join batch_items i on i.id = l.item_id
left join enrichment_results d on d.item_id = i.id and d.workflow_slug = 'normalise-domain'
join (
  select
    b.id as batch_id,
    b.pipeline_slug as play_name,
    e.step -> 'workflow' ->> 'slug' as workflow_slug,
    (e.step -> 'workflow' ->> 'step')::integer as step_number,
    e.step -> 'workflow' -> 'destination' ->> 'table' as result_table
  from batches b, jsonb_array_elements(b.blueprint -> 'steps') as e (step)
) s on s.batch_id = l.batch_id and s.workflow_slug = l.workflow_slug
