-- Each step that a company has behind it in a batch, once, however many of its items had it.
select
  md5('workflow/' || c.workflow_slug)::uuid as workflow_id,
  c.workflow_slug,
  md5(c.client_id || '/' || c.company_key)::uuid as company_id,
  min(coalesce(i.company_domain, d.fields ->> 'company_domain')) as company_domain,
  min(b.pipeline_slug) as play_name,
  min(c.overall_step_number) as step_number,
  'COMPLETED' as status,
  min((
    select e.step -> 'workflow' -> 'destination' ->> 'table'
    from jsonb_array_elements(b.blueprint -> 'steps') as e (step)
    where e.step -> 'workflow' ->> 'slug' = c.workflow_slug
  )) as result_table,
  c.batch_id,
  min(c.completed_at) as completed_at,
  c.client_id
from company_play_step_completions c
join batch_items i on i.id = c.item_id
left join enrichment_results d on d.item_id = i.id and d.workflow_slug = 'normalise-domain'
join batches b on b.id = c.batch_id
where c.company_key is not null
group by c.workflow_slug, c.client_id, c.company_key, c.batch_id
