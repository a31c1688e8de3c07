{#- Great-circle distance of two points in kilometres (haversine, mean radius of the earth 6371.0088 km),
    one place; null where a coordinate, in degrees, is null. Both engines count in radians. -#}
{%- macro haversine_km(latitude, longitude, other_latitude, other_longitude) -%}
    {%- set lat, lon, other_lat, other_lon = (
        "radians(cast(" ~ latitude ~ " as double))",
        "radians(cast(" ~ longitude ~ " as double))",
        "radians(cast(" ~ other_latitude ~ " as double))",
        "radians(cast(" ~ other_longitude ~ " as double))",
    ) -%}
    round(
        2
        * 6371.0088
        * asin(
            sqrt(
                power(sin(({{ other_lat }} - {{ lat }}) / 2), 2)
                + cos({{ lat }})
                * cos({{ other_lat }})
                * power(sin(({{ other_lon }} - {{ lon }}) / 2), 2)
            )
        ),
        1
    )
{%- endmacro -%}
