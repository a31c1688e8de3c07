-- Grain: one row per product_id.
{% set sides = ["length_cm", "height_cm", "width_cm"] %}
{% set checks = [
    {"name": "category_is_known", "passed": "category <> 'unknown'"},
    {"name": "weight_is_above_zero", "passed": "weight_g > 0"},
    {
        "name": "sides_are_above_zero",
        "passed": "length_cm > 0 and height_cm > 0 and width_cm > 0",
    },
    {
        "name": "sides_are_plausible",
        "passed": sides
        | join(" <= " ~ var("plausible_maximum_side_cm") ~ " and ")
        ~ " <= "
        ~ var("plausible_maximum_side_cm"),
    },
    {"name": "name_is_written", "passed": "name_length > 0"},
    {"name": "description_is_written", "passed": "description_length > 0"},
    {"name": "photo_is_published", "passed": "photos_count > 0"},
] %}

with
    source as (select * from {{ ref("base_products") }} where quarantine_reason is null),

    translations as (
        select * from {{ ref("base_category_translation") }} where quarantine_reason is null
    ),

    category_groups as (select * from {{ ref("category_groups") }}),

    translated as (
        select
            source.product_id,
            -- A category that nobody translated keeps its own name: it is known, only not in
            -- English.
            coalesce(
                nullif({{ trimmed("translations.product_category_name_english") }}, ''),
                nullif({{ trimmed("source.product_category_name") }}, ''),
                'unknown'
            ) as category,
            source.product_category_name as category_portuguese,
            source.name_length,
            source.description_length,
            source.photos_count,
            source.weight_g,
            source.length_cm,
            source.height_cm,
            source.width_cm,
            cast(source.length_cm as bigint) * source.height_cm * source.width_cm as volume_cm3,
            source.weight_g > {{ var("bulky_weight_g") }}
            {%- for side in sides %}
                or source.{{ side }} > {{ var("bulky_side_cm") }}
            {%- endfor %} as is_bulky,
            source._loaded_at
        from source
        left join translations on source.product_category_name = translations.product_category_name
    ),

    joined as (
        select translated.*, coalesce(category_groups.category_group, 'Unknown') as category_group
        from translated
        left join category_groups on translated.category = category_groups.category
    ),

    scored as (
        select
            product_id,
            category,
            category_portuguese,
            category_group,
            name_length,
            description_length,
            photos_count,
            weight_g,
            length_cm,
            height_cm,
            width_cm,
            volume_cm3,
            is_bulky,
            {{ data_quality_score(checks) }} as data_quality_score,
            {{ failed_checks(checks) }} as failed_checks,
            _loaded_at
        from joined
    )

select *
from scored
