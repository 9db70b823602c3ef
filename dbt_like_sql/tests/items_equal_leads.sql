-- Every item of the batch is a lead, and nothing else is.
select * from ({{ items_and_leads() }}) where expected <> actual or expected <> (select count(*) from {{ ref('final_leads') }})
