{#- Tests of our own, beside dbt's four. Each selects the rows that fail. -#}

{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as occurrences from {{ model }} group by {{ columns | join(', ') }} having count(*) > 1
{% endtest %}
