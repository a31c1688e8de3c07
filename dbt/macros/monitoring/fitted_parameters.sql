{#- The parameters that `olist models fit` found: every version, accepted or not, kept for good.
    It appends; nothing here rebuilds or drops the table. -#}
{#- Columns of the table in their order, with their types; their meaning: models/monitoring/_sources.yml. -#}
{%- macro fitted_parameters_columns() -%}
    {{
        return(
            {
                "model": "varchar",
                "version": "integer",
                "parameter": "varchar",
                "value": "double",
                "standard_error": "double",
                "training_window": "varchar",
                "training_rows": "integer",
                "training_events": "integer",
                "data_checksum": "varchar",
                "code_version": "varchar",
                "fitted_with": "varchar",
                "metrics": "varchar",
                "is_accepted": "boolean",
                "reason": "varchar",
                "fitted_at": "timestamp",
            }
        )
    }}
{%- endmacro -%}

{%- macro ensure_fitted_parameters_table() -%}
    {{
        olist.ensure_source_table(
            source("monitoring", "fitted_model_parameters"), olist.fitted_parameters_columns()
        )
    }}
{%- endmacro -%}
