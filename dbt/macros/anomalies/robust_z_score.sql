{#- Robust z-scores: (value - median) / spread, where spread estimates a standard deviation that a
    few breaks cannot inflate.

    spread = 1.4826 x the median absolute deviation (MAD). Where more than half of the values are
    equal the MAD is 0 and says nothing of the others: then spread = 1.253314 x the mean absolute
    deviation from the median (Iglewicz and Hoaglin; both factors make it a standard deviation for
    normal values). It is 0 only where all values are equal, to a millionth.

    `robust_statistics` aggregates once per group of the whole relation, never over a batch;
    `robust_baselines` chooses between a group and the population; `calculate_z_score` scores. -#}
{#- One row per group: group_name, observations, median_value, median_absolute_deviation,
    mean_absolute_deviation. Nulls are no observations. Without a group, one row for them all;
    a value whose group is null belongs to none. -#}
{%- macro robust_statistics(relation, value, group="'All orders'") -%}
    {%- set observed -%}
        (
            select {{ group }} as group_name, cast({{ value }} as double) as observed_value
            from {{ relation }}
            where {{ value }} is not null
        )
    {%- endset -%}
    select
        group_name,
        count(*) as observations,
        max(median_value) as median_value,
        median(deviation) as median_absolute_deviation,
        {{ olist.ratio("sum(cast(deviation as decimal(18, 6)))", "count(*)") }}
        as mean_absolute_deviation
    from
        (
            select
                observed.group_name,
                centres.median_value,
                abs(observed.observed_value - centres.median_value) as deviation
            from {{ observed }} as observed
            inner join
                (
                    select group_name, median(observed_value) as median_value
                    from {{ observed }} as values_of_groups
                    group by group_name
                ) as centres
                on observed.group_name = centres.group_name
        ) as deviations
    group by group_name
{%- endmacro -%}

{#- What to compare each group's values with: its own statistics where it has at least
    `anomaly_min_group_size` observations, else the population's. `groups` and `population` are
    relations made by robust_statistics; one row per group of `groups`. -#}
{%- macro robust_baselines(measure, groups, population) -%}
    {%- set is_own = groups ~ ".observations >= " ~ var("anomaly_min_group_size") -%}
    select
        '{{ measure }}' as measure,
        {{ groups }}.group_name,
        cast({{ groups }}.observations as integer) as observations,
        {{ is_own }} as is_own_baseline,
        {% for statistic in [
            "median_value",
            "median_absolute_deviation",
            "mean_absolute_deviation",
        ] %}
            case
                when {{ is_own }}
                then {{ groups }}.{{ statistic }}
                else {{ population }}.{{ statistic }}
            end as {{ statistic }},
        {% endfor %}
        case
            when {{ is_own }}
            then {{ olist.robust_spread(groups) }}
            else {{ olist.robust_spread(population) }}
        end as spread
    from {{ groups }}
    cross join {{ population }}
{%- endmacro -%}

{%- macro robust_spread(statistics) -%}
    case
        when {{ statistics }}.median_absolute_deviation > 0
        then 1.4826 * {{ statistics }}.median_absolute_deviation
        else 1.253314 * {{ statistics }}.mean_absolute_deviation
    end
{%- endmacro -%}

{#- Robust z-score of a value against a baseline; null where either is missing. Where nothing in the
    baseline spreads, what equals the median scores 0 and what differs scores the cap: a break is
    neither infinite nor hidden. Reported to six places, within +-`z_score_cap`. -#}
{%- macro calculate_z_score(value, median_value, spread) -%}
    {%- set cap = var("z_score_cap") -%}
    {%- set distance = "(cast(" ~ value ~ " as double) - " ~ median_value ~ ")" -%}
    case
        when {{ value }} is null or {{ median_value }} is null or {{ spread }} is null
        then null
        when abs({{ distance }}) >= {{ cap }} * {{ spread }} and {{ distance }} <> 0
        then cast({{ cap }} * sign({{ distance }}) as double)
        when {{ spread }} > 0
        then round({{ distance }} / {{ spread }}, 6)
        else cast(0 as double)
    end
{%- endmacro -%}

{#- Natural logarithm of an amount of money; null where there is none or it is zero (a free freight
    is a promotion, not a small amount). -#}
{%- macro log_amount(amount) -%}
    ln(case when {{ amount }} > 0 then cast({{ amount }} as double) end)
{%- endmacro -%}
