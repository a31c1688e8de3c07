"""What is expected of the data and of runs: vars of the dbt project, from their one place."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from olist_platform.errors import OlistError
from olist_platform.project_vars import project_file, project_vars

_Share = Annotated[float, Field(ge=0, le=1)]


class Expectations(BaseModel):
    """The vars that the hourly checks judge by; what each means stands beside it in the project.

    Attributes:
        data_quality_tiers: Least quality score of each tier, best tier first; the last is poor.
        run_history_runs: Previous runs that tell how long something takes.
        run_history_minimum_runs: How few of them may.
        run_history_days: Days of runs that are looked at.
        slow_run_factor: What is slow takes so many times the median.
        slow_run_minimum_seconds: And so many seconds more.
        slow_run_deviations: And so many robust standard deviations more.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    data_quality_tiers: dict[str, _Share]
    run_history_runs: Annotated[int, Field(ge=1)]
    run_history_minimum_runs: Annotated[int, Field(ge=1)]
    run_history_days: Annotated[int, Field(ge=31)]
    slow_run_factor: Annotated[float, Field(ge=1)]
    slow_run_minimum_seconds: Annotated[float, Field(ge=0)]
    slow_run_deviations: Annotated[float, Field(ge=0)]

    @property
    def least_quality_score(self) -> float:
        """The score below which a dataset is poor: that of the last tier but one."""
        return sorted(self.data_quality_tiers.values())[1]

    @classmethod
    def of_project(cls) -> Self:
        """Read the vars of the dbt project.

        Raises:
            OlistError: The project's file is missing or a var is missing or wrong.
        """
        try:
            return cls.model_validate(project_vars())
        except ValidationError as error:
            raise OlistError(f"{project_file()}: vars that monitoring needs: {error}") from error
