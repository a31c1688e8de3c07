"""The way of a file: bucket, trust, notification, pipes, raw tables, and who is told of faults."""

import json
import re

import pytest

from olist_platform.infrastructure_plan.captured_resources import CapturedProgram
from olist_platform.naming import EnvironmentName, Names
from olist_platform.source_catalog import CATALOG, Dataset

NAMES = Names(EnvironmentName.DEV)
TABLE = "snowflake:index/table:Table"
PIPE = "snowflake:index/pipe:Pipe"
COPY = re.compile(
    r"COPY INTO (?P<table>\S+) \((?P<columns>[^)]+)\) "
    r"FROM \(SELECT (?P<values>.+) FROM @(?P<stage>\S+?)/(?P<folder>\w+)/\) "
    r"FILE_FORMAT = \(FORMAT_NAME = '(?P<format>[^']+)'\) ON_ERROR = SKIP_FILE"
)
LOADED_AT = "CONVERT_TIMEZONE('UTC', METADATA$START_SCAN_TIME)::TIMESTAMP_NTZ"


@pytest.mark.parametrize("dataset", CATALOG, ids=lambda dataset: dataset.name)
def test_a_pipe_copies_the_catalogs_columns_by_their_order(
    dev: CapturedProgram, dataset: Dataset
) -> None:
    pipe = dev.named(PIPE, f"pipe-{dataset.name}").plain_inputs
    found = COPY.fullmatch(pipe["copyStatement"])
    assert found, pipe["copyStatement"]
    assert found["table"] == f'"OLIST_DEV"."RAW"."{dataset.name.upper()}"'
    assert found["folder"] == dataset.name
    assert found["stage"] == '"OLIST_DEV"."RAW"."LANDING"'
    assert found["format"] == '"OLIST_DEV"."RAW"."LANDING_CSV"'
    loaded = dict(
        zip(
            found["columns"].split(", "),
            re.split(r", (?!METADATA\$START)", found["values"]),
            strict=True,
        )
    )
    assert loaded == {
        **{f'"{column.upper()}"': f"${n}" for n, column in enumerate(dataset.header, start=1)},
        '"_SOURCE_FILE"': "METADATA$FILENAME",
        '"_SOURCE_ROW"': "METADATA$FILE_ROW_NUMBER",
        '"_LOADED_AT"': LOADED_AT,
    }
    assert pipe["autoIngest"] is True
    assert pipe["errorIntegration"] == "OLIST_DEV_PIPE_ERRORS"
    table = dev.named(TABLE, f"raw-{dataset.name}").plain_inputs
    assert [f'"{column["name"]}"' for column in table["columns"]] == list(loaded)
    assert [column["type"] for column in table["columns"]] == [
        *["VARCHAR"] * len(dataset.columns),
        "VARCHAR",
        "NUMBER(38,0)",
        "TIMESTAMP_NTZ(9)",
    ]


def test_every_dataset_has_one_table_and_one_pipe(dev: CapturedProgram) -> None:
    names = {dataset.name.upper() for dataset in CATALOG}
    assert {pipe.inputs["name"] for pipe in dev.of_type(PIPE)} == {f"{n}_PIPE" for n in names}
    raw = {table.inputs["name"] for table in dev.of_type(TABLE) if table.inputs["schema"] == "RAW"}
    assert raw == names


def test_one_notification_tells_snowpipe_of_every_landing_file(dev: CapturedProgram) -> None:
    [notification] = dev.of_type("aws:s3/bucketNotification:BucketNotification")
    [queue] = notification.plain_inputs["queues"]
    pipes = dev.of_type(PIPE)
    assert queue["events"] == ["s3:ObjectCreated:*"]
    assert queue["filterSuffix"] == ".csv.gz"
    assert "filterPrefix" not in queue
    assert queue["queueArn"].startswith("arn:aws:sqs:sa-east-1:")
    assert notification.inputs["bucket"] == NAMES.landing_bucket("111111111111")
    assert {pipe.urn for pipe in pipes} <= set(notification.dependencies)
    assert set(notification.property_dependencies["queues"]) <= {pipe.urn for pipe in pipes}


def test_integration_and_role_trust_each_other_in_one_deployment(dev: CapturedProgram) -> None:
    [integration] = dev.of_type("snowflake:index/storageIntegrationAws:StorageIntegrationAws")
    role = dev.named("aws:iam/role:Role", "landing-integration")
    external_id = integration.inputs["storageAwsExternalId"]
    assert integration.inputs["storageAwsRoleArn"] == (
        f"arn:aws:iam::111111111111:role/{role.inputs['name']}"
    )
    assert integration.inputs["storageAllowedLocations"] == ["s3://olist-dev-landing-111111111111/"]
    assert role.urn not in integration.dependencies
    assert integration.urn in role.property_dependencies["assumeRolePolicy"]
    [trust] = json.loads(role.plain_inputs["assumeRolePolicy"])["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:user/snowflake"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    assert re.fullmatch(r"[0-9a-f]{32}", external_id)


def test_snowflake_may_read_the_landing_bucket_and_no_more(dev: CapturedProgram) -> None:
    policy = dev.named("aws:iam/rolePolicy:RolePolicy", "landing-integration")
    statements = json.loads(policy.plain_inputs["policy"])["Statement"]
    key = dev.named("aws:kms/key:Key", "encryption-key")
    bucket = "arn:aws:s3:::olist-dev-landing-111111111111"
    assert [(one["Action"], one["Resource"]) for one in statements[:2]] == [
        (["s3:ListBucket", "s3:GetBucketLocation"], bucket),
        (["s3:GetObject", "s3:GetObjectVersion"], f"{bucket}/*"),
    ]
    assert statements[2]["Action"] == ["kms:Decrypt"]
    assert ":key/" in statements[2]["Resource"]
    assert key.urn in policy.property_dependencies["policy"]
    stage = dev.named("snowflake:index/stageExternalS3:StageExternalS3", "landing")
    assert policy.urn in stage.dependencies
    assert stage.inputs["url"] == "s3://olist-dev-landing-111111111111/"
    assert stage.plain_inputs["directory"] == {"enable": False}


def test_the_file_format_reads_what_the_local_loader_reads(dev: CapturedProgram) -> None:
    inputs = dev.named("snowflake:index/fileFormatCsv:FileFormatCsv", "landing").plain_inputs
    assert {
        key: inputs[key]
        for key in (
            "compression",
            "encoding",
            "skipHeader",
            "skipByteOrderMark",
            "emptyFieldAsNull",
            "nullIfs",
            "escapeUnenclosedField",
            "trimSpace",
            "fieldOptionallyEnclosedBy",
        )
    } == {
        "compression": "GZIP",
        "encoding": "UTF8",
        "skipHeader": 1,
        "skipByteOrderMark": "true",
        "emptyFieldAsNull": "true",
        "nullIfs": [""],
        "escapeUnenclosedField": "NONE",
        "trimSpace": "false",
        "fieldOptionallyEnclosedBy": '"',
    }


def test_faults_of_pipes_reach_the_alert_topic(dev: CapturedProgram) -> None:
    [integration] = dev.of_type("snowflake:index/notificationIntegration:NotificationIntegration")
    topic = dev.named("aws:sns/topic:Topic", "alerts")
    assert integration.inputs["awsSnsTopicArn"] == (
        "arn:aws:sns:sa-east-1:111111111111:olist-dev-alerts"
    )
    assert integration.property_dependencies["awsSnsTopicArn"] == (topic.urn,)
    role = dev.named("aws:iam/role:Role", "pipe-errors")
    [trust] = json.loads(role.plain_inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "GENERATED_BY_SNOWFLAKE"}}
    policy = dev.named("aws:iam/rolePolicy:RolePolicy", "pipe-errors")
    for pipe in dev.of_type(PIPE):
        assert policy.urn in pipe.dependencies
    emails = [
        one.inputs["endpoint"] for one in dev.of_type("aws:sns/topicSubscription:TopicSubscription")
    ]
    assert emails == ["data-platform@olist.example"]
