-- What a client overrides in a workflow, as one JSON; secrets are names of environment variables.
select
  c.id,
  c.client_id,
  l.slug as client,
  c.workflow_slug,
  jsonb_build_object('settings', c.settings, 'secrets', c.secrets, 'enabled', c.enabled) as config,
  c.updated_at
from client_workflow_configs c
join clients l on l.id = c.client_id
