"""The section `dashboards` of an environment: where pages are served, and who is sent the figures.

Every key is required; `null` stands where an environment has none of it.
"""

from typing import Annotated, Literal

from pydantic import Field

from olist_platform.alerts.alert_settings import WebAddress
from olist_platform.settings_model import Settings


class ExecutiveReportSettings(Settings):
    """The executives' e-mail.

    Attributes:
        to: Who gets it: one of the recipients of alerts.
        numbers: Whose signs numbers and dates are written with.
    """

    to: str
    numbers: Literal["pt-BR", "en"]


class DashboardSettings(Settings):
    """Dashboards and what goes out to their readers.

    Attributes:
        address: Where the web pages are served, without a slash at the end; null where they are
            files of this machine.
        executive_report: The executives' e-mail, or null where nobody gets one.
    """

    address: Annotated[WebAddress, Field(pattern=r"[^/]$")] | None
    executive_report: ExecutiveReportSettings | None
