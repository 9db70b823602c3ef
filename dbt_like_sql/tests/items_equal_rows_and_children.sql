-- Nothing between the upload, the fan-out and final_leads is lost or there twice.
select * from ({{ rows_and_items() }}) where expected <> actual or expected <> (select count(*) from {{ ref('final_leads') }})
