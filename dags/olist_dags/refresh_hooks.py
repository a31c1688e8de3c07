"""What follows the publication: whoever refreshes dashboards or sends figures hangs on here.

Nothing does yet. There are two ways in, and neither needs an edit of the DAG's file:

- A DAG of its own with `schedule=[MARTS]` runs whenever marts were published. It is the way for
  anything slow or foreign, such as a refresh of Power BI: its failure does not touch this run.
- A function in `AFTER_PUBLICATION` that returns a task: it stands behind `publish_marts` in this
  run, beside the docs. It is the way for what has to be done by the hour the dashboards are due,
  such as the executives' e-mail.
"""

from collections.abc import Callable
from typing import Any

from airflow.sdk import Asset

MARTS = Asset("olist_marts")

AFTER_PUBLICATION: tuple[Callable[[], Any], ...] = ()
