{#
    A function, for the body of another: a body is kept as text, and a database named in it would be the wrong one once the
    warehouse is copied, restored under another name or renamed.
#}
{% macro function_within(name) -%}
    {{ function(name).include(database=false) }}
{%- endmacro %}
