-- The rows of uploads as they came, every column: one row per readable row of each batch.
select
  i.id as batch_item_id,
  i.batch_id,
  i.client_id,
  b.upload_id,
  i.row_number,
  i.original_data as raw_data,
  u.filename,
  u.created_at as uploaded_at
from batch_items i
join batches b on b.id = i.batch_id
join uploads u on u.id = b.upload_id
where i.parent_item_id is null
