-- One row per item and step.
select s.item_id as batch_item_id, s.workflow_slug as step_name, s.status, s.advanced_at, s.batch_id, s.client_id
from workflow_states s
