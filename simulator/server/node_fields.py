"""Field names of graph nodes by kind, and what a node answers when no `fields` are given.

Only vocabulary belongs here (section 6 of the fact sheet and the enumerations of API v26.0). The values come from
the world; how a selection is parsed and applied is `selection`.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CAMPAIGN_FIELDS: frozenset[str] = _names(
    """
    account_id adbatch adlabels advantage_state_info bid_constraints bid_strategy boosted_object_id
    brand_lift_studies budget_rebalance_flag budget_remaining budget_schedule_specs buying_type
    campaign_group_active_time can_create_brand_lift_study can_use_spend_cap configured_status
    created_time daily_budget effective_status execution_options frequency_control_specs
    has_secondary_skadnetwork_reporting id is_adset_budget_sharing_enabled is_budget_schedule_enabled
    is_direct_send_campaign is_message_campaign is_meta_moment_maker_enabled is_pca_unified
    is_reels_trending_ads_enabled is_skadnetwork_attribution issues_info iterative_split_test_configs
    last_budget_toggling_time lifetime_budget name objective pacing_type primary_attribution
    promoted_object recommendations smart_promotion_type source_campaign source_campaign_id
    source_recommendation_type special_ad_categories special_ad_category special_ad_category_country
    spend_cap start_time status stop_time topline_id updated_time
    """
)
"""Fields of kind `campaign`."""

ADSET_FIELDS: frozenset[str] = _names(
    """
    account_id ad_set_goal adlabels adset_schedule anchor_event_attribution_window_days asset_feed_id
    attribution_count_type attribution_spec automatic_manual_state bid_adjustments bid_amount
    bid_constraints bid_info bid_strategy billing_event brand_safety_config budget_remaining campaign
    campaign_active_time campaign_attribution campaign_id configured_status created_time
    creative_diversity_label creative_diversity_score creative_sequence
    creative_sequence_repetition_pattern daily_budget daily_min_spend_target daily_spend_cap
    destination_type dsa_beneficiary dsa_payor effective_status end_time
    existing_customer_budget_percentage frequency_control_specs full_funnel_exploration_mode id
    instagram_user_id is_ba_skip_delayed_eligible is_budget_schedule_enabled is_dc_follow_optimized
    is_dynamic_creative is_incremental_attribution_enabled is_organic_ad_joint_optimized
    is_sequenced_conversion_creation issues_info learning_stage_info lifetime_budget lifetime_imps
    lifetime_min_spend_target lifetime_spend_cap live_video_ad_campaign_config low_creative_reach
    max_budget_spend_percentage meta_moment_maker_spec min_budget_spend_percentage
    multi_event_conversion_attribution_window_seconds multi_optimization_goal_weight name
    optimization_goal optimization_sub_event pacing_type placement_soft_opt_out promoted_object
    recommendations recurring_budget_semantics regional_regulated_categories
    regional_regulation_identities relative_value review_feedback rf_prediction_id source_adset
    source_adset_id special_ad_categories start_time status targeting targeting_optimization_types
    time_based_ad_rotation_id_blocks time_based_ad_rotation_intervals trending_topics_spec updated_time
    use_new_app_click value_rule_set_id value_rules_applied
    """
)
"""Fields of kind `adset`."""

AD_FIELDS: frozenset[str] = _names(
    """
    account_id ad_active_time ad_review_feedback ad_schedule_end_time ad_schedule_start_time adlabels
    adset adset_id adset_spec audience_id bid_amount bid_info bid_type campaign campaign_id
    configured_status conversion_domain conversion_specs created_time creative
    creative_asset_groups_spec creative_audience_pairing_persona creative_automation_spec
    dataset_split_specs date_format demolink_hash display_sequence draft_adgroup_id effective_status
    engagement_audience execution_options failed_delivery_checks filename id include_demolink_hashes
    issues_info last_updated_by_app_id name placement preview_shareable_link priority recommendations
    source_ad source_ad_id special_ad_categories status targeting tracking_and_conversion_with_defaults
    tracking_specs updated_time
    """
)
"""Fields of kind `ad`."""

ACCOUNT_FIELDS: frozenset[str] = _names(
    """
    account_id account_status ad_account_promotable_objects age agency_client_declaration
    all_capabilities amount_spent attribution_spec balance brand_safety_content_filter_levels business
    business_city business_country_code business_name business_state business_street business_street2
    business_zip can_create_brand_lift_study capabilities created_time currency custom_audience_info
    default_dsa_beneficiary default_dsa_payor disable_reason end_advertiser end_advertiser_name
    existing_customers expired_funding_source_details extended_credit_invoice_group
    failed_delivery_checks fb_entity funding_source funding_source_details has_migrated_permissions
    has_page_authorized_adaccount id io_number is_attribution_spec_system_default
    is_ba_skip_delayed_eligible is_direct_deals_enabled is_in_3ds_authorization_enabled_market
    is_notifications_enabled is_personal is_prepay_account is_tax_id_required liable_address
    line_numbers marketing_messages_settings media_agency min_campaign_group_spend_cap min_daily_budget
    name offsite_clo_signal_status offsite_pixels_tos_accepted opportunity_score
    opportunity_score_weight owner owner_business partner rf_spec send_bill_to_address
    show_checkout_experience sold_to_address spend_cap tax_id tax_id_status tax_id_type timezone_id
    timezone_name timezone_offset_hours_utc tos_accepted user_access_expire_time user_tasks
    user_tos_accepted viewable_business
    """
)
"""Fields of kind `account`."""

ADCREATIVE_FIELDS: frozenset[str] = _names(
    """
    account_id actor_id ad_disclaimer_spec adlabels applink_treatment asset_feed_spec
    authorization_category auto_update body branded_content branded_content_sponsor_page_id
    bundle_folder_id call_to_action call_to_action_type categorization_criteria category_media_source
    collaborative_ads_lsb_image_bank_id contextual_multi_ads creative_sourcing_spec
    degrees_of_freedom_spec destination_set_id destination_spec dynamic_ad_voice
    effective_authorization_category effective_instagram_media_id effective_object_story_id
    enable_direct_install enable_launch_instant_app execution_options existing_post_title
    facebook_branded_content format_transformation_spec generative_asset_spec id image_crops image_file
    image_hash image_url instagram_branded_content instagram_permalink_url instagram_user_id
    interactive_components_spec is_dco_internal link_deep_link_url link_destination_display_url
    link_og_id link_url marketing_message_structured_spec media_optimization_spec media_sourcing_spec
    messenger_sponsored_message name object_id object_store_url object_story_id object_story_spec
    object_type object_url omnichannel_link_spec page_welcome_message photo_album_source_object_story_id
    place_page_set_id platform_customizations playable_asset_id portrait_customizations product_data
    product_set_id product_suggestion_settings recommender_settings regional_regulation_disclaimer_spec
    source_facebook_post_id source_instagram_media_id status template_url template_url_spec thumbnail_id
    thumbnail_url title url_tags use_page_actor_override video_id wamo_whatsapp_identity_spec
    """
)
"""Fields of kind `adcreative`."""

AD_STUDY_FIELDS: frozenset[str] = _names(
    """
    business canceled_time cells client_business confidence_level cooldown_start_time created_by
    created_time creative_test_config description end_time id measurement_contact name objectives
    observation_end_time results_first_available_date sales_contact start_time type updated_by
    updated_time viewers
    """
)
"""Fields of kind `ad_study`."""

CELL_FIELDS: frozenset[str] = _names(
    """
    ad_entities_count ad_ids control_percentage exclusion_geo id name treatment_percentage
    """
)
"""Fields of kind `cell`."""

OBJECTIVE_FIELDS: frozenset[str] = _names(
    """
    id is_primary last_updated_results name results type
    """
)
"""Fields of kind `objective`."""

CUSTOMCONVERSION_FIELDS: frozenset[str] = _names(
    """
    account_id action_source_type advanced_rule aggregation_rule business creation_time
    custom_conversion_id custom_event_type data_sources default_conversion_value description
    event_source_id event_source_type first_fired_time id is_archived is_unavailable last_fired_time
    name offline_conversion_data_set pixel retention_days rule
    """
)
"""Fields of kind `customconversion`."""

ADSPIXEL_FIELDS: frozenset[str] = _names(
    """
    automatic_matching_fields can_proxy code config creation_time creator data_use_setting description
    duplicate_entries enable_auto_assign_to_accounts enable_automatic_matching event_stats
    event_time_max event_time_min first_party_cookie_status has_1p_pixel_event id
    is_consolidated_container is_created_by_business is_crm is_mta_use is_restricted_use is_unavailable
    last_fired_time last_upload_app last_upload_app_changed_time match_rate_approx matched_entries name
    owner_ad_account owner_business usage user_access_expire_time valid_entries
    """
)
"""Fields of kind `adspixel`."""

BUSINESS_FIELDS: frozenset[str] = _names(
    """
    block_offline_analytics collaborative_ads_managed_partner_business_info
    collaborative_ads_managed_partner_eligibility collaborative_ads_partner_premium_options created_by
    created_time extended_updated_time id is_hidden link marketing_messages_onboarding_status name
    payment_account_id primary_page profile_picture_uri timezone_id two_factor_type updated_by
    updated_time user_access_expire_time verification_status vertical vertical_id
    whatsapp_business_manager_messaging_limit
    """
)
"""Fields of kind `business`."""

ACTIVITY_FIELDS: frozenset[str] = _names(
    """
    actor_id actor_name application_id application_name date_time_in_timezone event_time event_type
    extra_data object_id object_name object_type tool translated_event_type
    """
)
"""Fields of kind `activity`."""

REPORT_RUN_FIELDS: frozenset[str] = _names(
    """
    account_id action_attribution_windows action_breakdowns action_report_time async_percent_completion
    async_report_url async_status breakdowns cpas_only date_preset date_start date_stop default_summary
    emails error_code error_message error_subcode error_user_msg error_user_title export_columns
    export_format export_name fields filtering friendly_name graph_cache id is_async_export
    is_bookmarked is_running level limit product_id_limit schedule_id sort summary
    summary_action_breakdowns time_completed time_increment time_range time_ranges time_ref
    use_account_attribution_setting use_unified_attribution_setting
    """
)
"""Fields of kind `report_run`."""

FIELDS: dict[str, frozenset[str]] = {
    "account": ACCOUNT_FIELDS,
    "campaign": CAMPAIGN_FIELDS,
    "adset": ADSET_FIELDS,
    "ad": AD_FIELDS,
    "adcreative": ADCREATIVE_FIELDS,
    "ad_study": AD_STUDY_FIELDS,
    "cell": CELL_FIELDS,
    "objective": OBJECTIVE_FIELDS,
    "customconversion": CUSTOMCONVERSION_FIELDS,
    "adspixel": ADSPIXEL_FIELDS,
    "business": BUSINESS_FIELDS,
    "activity": ACTIVITY_FIELDS,
    "report_run": REPORT_RUN_FIELDS,
}
"""Known fields by kind; what the world itself carries is accepted besides."""

DEFAULTS: dict[str, tuple[str, ...]] = {
    "account": ("id", "account_id"),
    "ad_study": ("id", "name", "description", "start_time", "end_time"),
    "business": ("id", "name"),
    "cell": ("id", "name"),
    "objective": ("id", "name", "type"),
    "user": ("id", "name"),
    "activity": ("event_time", "event_type", "object_id", "object_name", "actor_id", "actor_name", "extra_data"),
    "report_run": (
        "id",
        "account_id",
        "time_ref",
        "time_completed",
        "async_status",
        "async_percent_completion",
        "error_code",
        "error_message",
        "error_subcode",
        "error_user_title",
        "error_user_msg",
    ),
}
"""Default fields by kind; every other kind answers with its id alone (sections 6.1 and 6.4)."""

TYPE_NAMES: dict[str, str] = {
    "account": "AdAccount",
    "campaign": "AdCampaignGroup",
    "adset": "AdCampaign",
    "ad": "AdGroup",
    "adcreative": "AdCreative",
    "ad_study": "AdStudy",
    "cell": "AdStudyCell",
    "objective": "AdStudyObjective",
    "customconversion": "CustomConversion",
    "adspixel": "AdsPixel",
    "business": "Business",
    "user": "User",
    "activity": "AdActivity",
    "report_run": "AdReportRun",
}
"""The graph's own name of a kind, as its error messages spell it."""
