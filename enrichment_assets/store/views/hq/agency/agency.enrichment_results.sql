-- One row per item and step that was answered. Items of one company share an answer: each has its row.
select
  s.item_id as batch_item_id,
  s.workflow_slug as step_name,
  r.outcome,
  r.payload as data,
  r.fields,
  r.fetched_at as created_at,
  s.batch_id,
  s.client_id
from workflow_states s
join enrichment_results r on r.id = s.result_id and r.client_id = s.client_id
