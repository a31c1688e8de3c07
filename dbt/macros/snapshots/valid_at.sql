{#- Join condition of a point-in-time join: the version of a snapshot in force at a moment (UTC). A window
    holds its first moment and not its last; a current version has no end. -#}
{%- macro valid_at(snapshot_alias, moment) -%}
    (
        {{ snapshot_alias }}.dbt_valid_from <= {{ moment }}
        and (
            {{ snapshot_alias }}.dbt_valid_to is null
            or {{ moment }} < {{ snapshot_alias }}.dbt_valid_to
        )
    )
{%- endmacro -%}
