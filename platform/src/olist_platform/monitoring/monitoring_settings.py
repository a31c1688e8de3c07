"""The section `monitoring` of an environment: when it looks, and what differs per environment.

What is expected of the data (quality, volume, durations) is a var of `dbt/dbt_project.yml`, the
same everywhere; see `expectations`.
"""

from datetime import time
from typing import Annotated

from pydantic import Field

from olist_platform.settings_model import CronExpression, SecretReference, Settings

_Hours = Annotated[float, Field(gt=0)]


class MonitoringSettings(Settings):
    """How an environment is watched.

    Attributes:
        schedule: Cron expression in UTC, or null for looks by hand only.
        airflow_database: Variable that holds the address of Airflow's metadata database, of a user
            that may read; null for the private Airflow of this machine.
        loaded_within_hours: Age of a dataset's newest load from which the source is late; null
            where nothing loads by a clock.
        published_within_hours: Age of the published marts from which they are stale; null likewise.
        dashboards_ready_by: Time of day, in the alerts' time zone, by which the marts of the day
            are published; null where nobody waits for them.
        notional_budget_brl: What an embedded warehouse may cost a month at its notional rate; null
            on Snowflake, whose budget is the section `cloud`.
    """

    schedule: CronExpression | None
    airflow_database: SecretReference | None
    loaded_within_hours: _Hours | None
    published_within_hours: _Hours | None
    dashboards_ready_by: time | None
    notional_budget_brl: Annotated[float, Field(gt=0)] | None
