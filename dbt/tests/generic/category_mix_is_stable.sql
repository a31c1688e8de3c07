{#- The shares of a column's values over the last category_mix_days up to the as_of_date are those of the
    category_mix_baseline_days before them: their population stability index (sum of the differences of
    the shares times the logarithms of their quotients) is at most category_mix_maximum_psi. Half a row is
    added to each count, so that a new or vanished value has a finite share. With fewer than
    category_mix_minimum_rows in either period the shares say nothing and pass. -#}
{% test category_mix_is_stable(model, column_name, date_column) %}
    with
        reference as (select {{ olist.as_of_date() }} as as_of_date),

        periods as (
            select
                coalesce(cast({{ column_name }} as varchar), 'unknown') as category,
                {{ date_column }}
                > {{
                    olist.add_periods(
                        "day", -1 * var("category_mix_days"), "reference.as_of_date"
                    )
                }} as is_recent
            from {{ model }}
            cross join reference
            where
                {{ date_column }} <= reference.as_of_date
                and {{ date_column }}
                > {{
                    olist.add_periods(
                        "day",
                        -1 * (var("category_mix_days") + var("category_mix_baseline_days")),
                        "reference.as_of_date",
                    )
                }}
        ),

        counts as (
            select
                category,
                count(case when is_recent then 1 end) as recent_rows,
                count(case when not is_recent then 1 end) as baseline_rows
            from periods
            group by category
        ),

        totals as (
            select
                count(*) as categories,
                sum(recent_rows) as recent_rows,
                sum(baseline_rows) as baseline_rows
            from counts
        ),

        shares as (
            select
                {{
                    olist.ratio(
                        "counts.recent_rows + 0.5", "totals.recent_rows + 0.5 * totals.categories"
                    )
                }} as recent_share,
                {{
                    olist.ratio(
                        "counts.baseline_rows + 0.5",
                        "totals.baseline_rows + 0.5 * totals.categories",
                    )
                }} as baseline_share
            from counts
            cross join totals
            where
                totals.recent_rows >= {{ var("category_mix_minimum_rows") }}
                and totals.baseline_rows >= {{ var("category_mix_minimum_rows") }}
        )

    select stability_index
    from
        (
            select
                sum(
                    (recent_share - baseline_share) * ln(recent_share / baseline_share)
                ) as stability_index
            from shares
        ) as measured
    where stability_index > {{ var("category_mix_maximum_psi") }}
{% endtest %}
