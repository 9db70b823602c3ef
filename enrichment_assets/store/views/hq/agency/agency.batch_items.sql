-- One row per item: its identity, clean, and the row it came from, whole.
select
  i.id,
  i.batch_id,
  i.client_id,
  i.parent_item_id,
  i.first_name,
  i.last_name,
  i.title,
  i.email,
  i.linkedin_url as linkedin,
  i.company_name,
  i.company_domain,
  i.industry,
  i.original_data,
  i.created_at
from batch_items i
