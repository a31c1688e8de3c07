"""The section `production` of an environment: what a production run waits for, and how long."""

from typing import Annotated

from pydantic import Field

from olist_platform.settings_model import Settings


class ProductionSettings(Settings):
    """What a production run asks for before it begins.

    Attributes:
        landing_within_hours: How long ago the day of the newest landed extract may have ended;
            null where any landing file will do.
        snowpipe_wait_minutes: How long a run waits for Snowpipe to load what has landed; null on
            DuckDB, where the run loads itself.
    """

    landing_within_hours: Annotated[float, Field(gt=0)] | None
    snowpipe_wait_minutes: Annotated[int, Field(ge=1)] | None
