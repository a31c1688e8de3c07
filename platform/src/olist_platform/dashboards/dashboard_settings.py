"""The section `dashboards` of an environment: where pages are served, and who is sent the figures.

Every key is required; `null` stands where an environment has none of it.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from olist_platform.alerts.alert_settings import EmailAddress, WebAddress
from olist_platform.settings_model import Settings

State = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class ExecutiveReportSettings(Settings):
    """The executives' e-mail.

    Attributes:
        to: Who gets it: one of the recipients of alerts.
        numbers: Whose signs numbers and dates are written with.
    """

    to: str
    numbers: Literal["pt-BR", "en"]


class PowerBiRefresh(Settings):
    """What the production DAG refreshes once marts are published.

    Attributes:
        workspace_id: Power BI's workspace (group).
        semantic_model_id: The semantic model (dataset) in it, known after its first deployment.
        airflow_connection: Airflow's connection of the service principal that may refresh it.
    """

    workspace_id: UUID
    semantic_model_id: UUID
    airflow_connection: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class StateReader(Settings):
    """Who sees the rows of some states only.

    Attributes:
        reader: Address they log in with; they have to be in the model's role too.
        states: Which states, by their two letters.
    """

    reader: EmailAddress
    states: Annotated[tuple[State, ...], Field(min_length=1)]


class PowerBiSettings(Settings):
    """Power BI, where an environment has it.

    Attributes:
        refresh: What is refreshed after publication, or null before the first deployment.
        state_readers: Who sees the rows of some states only.
    """

    refresh: PowerBiRefresh | None
    state_readers: tuple[StateReader, ...]


class DashboardSettings(Settings):
    """Dashboards and what goes out to their readers.

    Attributes:
        address: Where the web pages are served, without a slash at the end; null where they are
            files of this machine.
        executive_report: The executives' e-mail, or null where nobody gets one.
        power_bi: Power BI, or null where there is none: it reads Snowflake alone.
    """

    address: Annotated[WebAddress, Field(pattern=r"[^/]$")] | None
    executive_report: ExecutiveReportSettings | None
    power_bi: PowerBiSettings | None
