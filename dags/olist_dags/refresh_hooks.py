"""What follows the publication: whoever refreshes dashboards or sends figures hangs on here.

There are two ways in, and neither needs an edit of the DAG's file:

- A DAG of its own with `schedule=[MARTS]` runs whenever marts were published. It is the way for
  anything slow or foreign: its failure does not touch this run.
- A function in `AFTER_PUBLICATION` that returns a task: it stands behind `publish_marts` in this
  run, beside the docs. It is the way for what has to be done by the hour the dashboards are due,
  such as their pages and the executives' e-mail.
"""

from collections.abc import Callable
from typing import Any

from airflow.sdk import Asset

from olist_dags.dashboards import build_dashboards
from olist_dags.executive_report import email_executives
from olist_dags.power_bi import refresh_power_bi

MARTS = Asset("olist_marts")

AFTER_PUBLICATION: tuple[Callable[[], Any], ...] = (
    build_dashboards,
    email_executives,
    refresh_power_bi,
)
