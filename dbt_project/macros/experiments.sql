{#- How an experiment's numbers are made and written: what its models share. The statistics themselves stand there. -#}

{#- A step on the way to the A/B marts, kept as a small table. Reason: as nested views the planner takes each for one row
    and computes it anew for every row of the next, which takes minutes for a dozen experiments. -#}
{% macro experiment_step(key) -%}
{{ config(
    materialized='incremental',
    incremental_strategy='mirror',
    unique_key=key,
    on_schema_change='append_new_columns',
    post_hook='{{ analyze_if_changed() }}'
) }}
{%- endmacro %}

{#- A fraction as text in percent with one decimal, e.g. `-12.3 %`; beyond a million percent only that it is. -#}
{% macro percent_in_words(fraction) -%}
case
    when ({{ fraction }}) is not null
        then to_char(least(greatest(100 * ({{ fraction }}), -999999), 999999)::numeric, 'FM999990.0') || ' %'
end
{%- endmacro %}

{#- The minimum effect as it was declared, without needless zeros: `10 %`, `2.5 %`. -#}
{% macro declared_percent(fraction) -%}
(trim_scale(round(100 * {{ fraction }}::numeric, 4)) || ' %')
{%- endmacro %}

{#- The change that a logarithm of a ratio stands for, as a fraction. Reason for the bound: an interval from two days can
    be wider than PostgreSQL can compute, and no question is answered by its end. -#}
{% macro change_from_logarithm(logarithm) -%}
case
    when ({{ logarithm }}) is not null then exp(greatest(least({{ logarithm }}, 50), -50)) - 1
end
{%- endmacro %}

{#- The metric as people know it, from the sums of yield (m) and base (d); NULL on a zero denominator. -#}
{% macro ab_metric_value(m, d) -%}
case metric
    when 'cpa' then {{ d }} / nullif({{ m }}, 0)
    when 'cpm' then 1000 * {{ d }} / nullif({{ m }}, 0)
    else {{ m }} / nullif({{ d }}, 0)
end
{%- endmacro %}

{#- +1 where more is better, -1 where less is: the sign between the yield that is computed with and what is published. -#}
{% macro ab_direction() -%}
case when metric in ('cpa', 'cpm') then -1 else 1 end
{%- endmacro %}

{#- What an experiment is, in the words that stand in every row. -#}
{% macro ab_kind_in_words(kind) -%}
case {{ kind }}
    when 'randomised' then 'randomised split test of Meta'
    else 'observational comparison: Meta decides who sees which ad'
end
{%- endmacro %}
