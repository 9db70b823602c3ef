-- One row per item and step. `split_raw` is what made the item of its row.
select
  s.item_id as batch_item_id,
  s.workflow_slug as step_name,
  s.status,
  s.advanced_at,
  s.batch_id,
  s.client_id
from workflow_states s
union all
select i.id, 'split_raw', 'COMPLETED', i.created_at, i.batch_id, i.client_id
from batch_items i
