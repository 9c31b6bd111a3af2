{{ config(incremental_strategy='slice_replace') }}

{{ ad_day_cells('ad_daily__country', ['country']) }}
