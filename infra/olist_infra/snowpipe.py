"""Snowpipe: stage, file format and one auto-ingest pipe for each dataset, told of files by S3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_snowflake as snowflake

from olist_infra.copy_statement import copy_statement
from olist_platform.naming import Names
from olist_platform.source_catalog import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class SnowpipeArgs:
    """What is loaded, from where, into what.

    Attributes:
        names: Names of the environment.
        database: The database.
        schema: The raw schema.
        bucket: Name of the landing bucket, as text: it is part of the stage's URL.
        bucket_name: The same as the bucket's output.
        integration: Name of the storage integration.
        error_integration: Name of the notification integration that is told of files not loaded.
        datasets: The datasets.
        tables: Raw table of each, by the dataset's name.
        readable: What Snowflake's reading of the bucket, and its telling of errors, hang on.
    """

    names: Names
    database: pulumi.Input[str]
    schema: pulumi.Input[str]
    bucket: str
    bucket_name: pulumi.Input[str]
    integration: pulumi.Input[str]
    error_integration: pulumi.Input[str]
    datasets: Sequence[Dataset]
    tables: Mapping[str, snowflake.Table]
    readable: Sequence[pulumi.Resource]


class Snowpipe(pulumi.ComponentResource):
    """The way of a file from the bucket into its raw table.

    Attributes:
        pipes: The pipe of each dataset, by the dataset's name.
    """

    def __init__(
        self, name: str, args: SnowpipeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:ingestion:Snowpipe", name, None, opts)
        file_format = _file_format(self, args)
        stage = snowflake.StageExternalS3(
            "landing",
            name=args.names.landing_stage,
            database=args.database,
            schema=args.schema,
            url=f"s3://{args.bucket}/",
            storage_integration=args.integration,
            # Listing the bucket when the stage is made would come before IAM has settled.
            directory=snowflake.StageExternalS3DirectoryArgs(enable=False),
            comment="The landing files",
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.readable)),
        )
        self.pipes = {
            dataset.name: snowflake.Pipe(
                f"pipe-{dataset.name}",
                name=args.names.pipe(dataset),
                database=args.database,
                schema=args.schema,
                auto_ingest=True,
                error_integration=args.error_integration,
                copy_statement=_copy(dataset, args.tables[dataset.name], stage, file_format),
                comment=f"Loads {dataset.name}",
                # A pipe keeps the place that its stage had when it was made.
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=list(args.readable), replace_with=[stage]
                ),
            )
            for dataset in args.datasets
        }
        self._notify(args)
        self.register_outputs(
            {
                "stage": stage.fully_qualified_name,
                "pipes": {
                    dataset: pipe.fully_qualified_name for dataset, pipe in self.pipes.items()
                },
            }
        )

    def _notify(self, args: SnowpipeArgs) -> None:
        """Let S3 tell Snowflake of every landing file.

        A bucket has one notification, and the pipes of an account over one bucket have one queue:
        Snowflake hands a file to the pipe whose folder it lies in.
        """
        pipes = list(self.pipes.values())
        aws.s3.BucketNotification(
            "landing",
            bucket=args.bucket_name,
            queues=[
                aws.s3.BucketNotificationQueueArgs(
                    id="snowpipe",
                    queue_arn=pipes[0].notification_channel,
                    events=["s3:ObjectCreated:*"],
                    filter_suffix=".csv.gz",
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=pipes),
        )


def _file_format(parent: Snowpipe, args: SnowpipeArgs) -> snowflake.FileFormatCsv:
    """The landing files as the local loader reads them: RFC 4180, UTF-8, empty is null."""
    return snowflake.FileFormatCsv(
        "landing",
        name=args.names.file_format,
        database=args.database,
        schema=args.schema,
        compression="GZIP",
        encoding="UTF8",
        field_delimiter=",",
        field_optionally_enclosed_by='"',
        skip_header=1,
        skip_byte_order_mark="true",
        empty_field_as_null="true",
        # Snowflake's own default also takes \N for null and a backslash for an escape.
        null_ifs=[""],
        escape_unenclosed_field="NONE",
        trim_space="false",
        comment="Gzipped CSV with a header",
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _copy(
    dataset: Dataset,
    table: snowflake.Table,
    stage: snowflake.StageExternalS3,
    file_format: snowflake.FileFormatCsv,
) -> pulumi.Output[str]:
    return pulumi.Output.all(
        table.fully_qualified_name, stage.fully_qualified_name, file_format.fully_qualified_name
    ).apply(
        lambda names: copy_statement(dataset, table=names[0], stage=names[1], file_format=names[2])
    )
