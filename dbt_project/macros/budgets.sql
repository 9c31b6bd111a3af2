{#- What was spent of lifetime budgets before the days that an incremental run of mart_budget_daily writes: its own rows
    know. Expects `first_days` (see first_days_to_build); a first build has nothing before. -#}
{% macro lifetime_spend_before_first_days() -%}
    {%- if is_incremental() -%}
    select distinct on (earlier.account_id, earlier.holder_level, earlier.holder_id)
        earlier.account_id,
        earlier.holder_level,
        earlier.holder_id,
        earlier.lifetime_spend_to_date
    from {{ this }} as earlier
    inner join first_days
        on earlier.account_id = first_days.account_id and earlier.day < first_days.first_day
    where earlier.budget_kind = 'lifetime'
    order by earlier.account_id asc, earlier.holder_level asc, earlier.holder_id asc, earlier.day desc
    {%- else -%}
    select
        null::bigint as account_id,
        null::text as holder_level,
        null::bigint as holder_id,
        null::numeric as lifetime_spend_to_date
    where false
    {%- endif -%}
{%- endmacro %}

{#- An amount or count that cannot fall below zero. GREATEST would turn an unknown one into zero. -#}
{% macro not_below_zero(number) -%}
case when {{ number }} < 0 then 0 else {{ number }} end
{%- endmacro %}
