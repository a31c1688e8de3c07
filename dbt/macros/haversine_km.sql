{#- Great-circle distance between two points given in degrees, kilometres, double rounded to the metre so
    that both engines give the same digits; null where a coordinate is null. The Earth is a sphere of its
    mean radius, 6371.0088 km (IUGG): at most 0.6 % from the distance on the ellipsoid. -#}
{%- macro haversine_km(lat1, lng1, lat2, lng2) -%}
    {%- set coordinates = [lat1, lng1, lat2, lng2] -%}
    case
        when
            {% for c in coordinates %} {{ c }} is not null{{ " and " if not loop.last }}{% endfor %}
        then
            round(
                2
                * 6371.0088
                * asin(
                    {#- Rounding can lift the root of antipodes a hair above 1. #}
                    least(
                        1,
                        sqrt(
                            power(sin(radians(cast({{ lat2 }} - ({{ lat1 }}) as double)) / 2), 2)
                            + cos(radians(cast({{ lat1 }} as double)))
                            * cos(radians(cast({{ lat2 }} as double)))
                            * power(sin(radians(cast({{ lng2 }} - ({{ lng1 }}) as double)) / 2), 2)
                        )
                    )
                ),
                3
            )
    end
{%- endmacro -%}
