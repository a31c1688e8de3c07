"""The whole of an environment: names, tags, secrets, protection, masks, identities, outputs."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from olist_platform.access_model import FUNCTIONAL_ROLES, SERVICE_ROLES
from olist_platform.dbt_command import dbt_variables
from olist_platform.environment import load_environment
from olist_platform.infrastructure_plan.captured_program import capture_program
from olist_platform.infrastructure_plan.captured_resources import (
    CapturedProgram,
    CapturedResource,
    Secret,
)
from olist_platform.infrastructure_plan.comparison import ChangeKind, compare
from olist_platform.naming import EnvironmentName, Names
from olist_platform.source_catalog import CATALOG, PiiClass
from olist_workspace import ROOT
from yaml_files import read_yaml

NAMES = Names(EnvironmentName.DEV)
# They relate other objects and have no name of their own.
NAMELESS = {
    "Execute",
    "GrantAccountRole",
    "GrantDatabaseRole",
    "GrantPrivilegesToAccountRole",
    "GrantPrivilegesToDatabaseRole",
    "TagAssociation",
    "UserAuthenticationPolicyAttachment",
}
PREVIEW_FLAGS = {
    "NotificationIntegration": "snowflake_notification_integration_resource",
    "Pipe": "snowflake_pipe_resource",
    "Table": "snowflake_table_resource",
}
BUDGET = "aws:budgets/budget:Budget"


@pytest.fixture(params=["dev", "prod"])
def program(request: pytest.FixtureRequest) -> CapturedProgram:
    captured: CapturedProgram = request.getfixturevalue(request.param)
    return captured


def _kind(type_token: str) -> str:
    return type_token.rpartition(":")[2]


def _capture_changed(
    name: EnvironmentName, before: str, after: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> CapturedProgram:
    """Capture an environment whose file says something else."""
    shutil.copytree(ROOT / "environments", home / "environments")
    for folder in ("dbt", "infra"):
        (home / folder).symlink_to(ROOT / folder)
    path = home / "environments" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    monkeypatch.setenv("OLIST_HOME", str(home))
    return capture_program(load_environment(name), ROOT / "infra")


def test_every_snowflake_name_is_explicit_and_upper_case(program: CapturedProgram) -> None:
    named = [
        one
        for one in program.resources
        if one.type.startswith("snowflake:") and _kind(one.type) not in NAMELESS
    ]
    assert len(named) > 60
    assert [
        one.urn for one in named if not re.fullmatch(r"[A-Z][A-Z0-9_]*", one.inputs.get("name", ""))
    ] == []


def test_every_resource_has_an_explicit_provider_and_a_component(program: CapturedProgram) -> None:
    for resource in program.resources:
        if resource.type.startswith(("aws:", "snowflake:")):
            assert resource.provider, resource.urn
            assert "olist:" in resource.parent, resource.urn


def test_preview_flags_are_those_of_the_preview_resources_used(program: CapturedProgram) -> None:
    used = {_kind(one.type) for one in program.resources} & PREVIEW_FLAGS.keys()
    wanted = sorted(PREVIEW_FLAGS[kind] for kind in used)
    providers = program.of_type("pulumi:providers:snowflake")
    assert len(providers) == 2
    for provider in providers:
        assert json.loads(provider.plain_inputs["previewFeaturesEnabled"]) == wanted


def test_aws_tags_come_with_the_provider(program: CapturedProgram) -> None:
    [provider] = program.of_type("pulumi:providers:aws")
    cloud = load_environment(EnvironmentName(program.stack)).cloud
    assert cloud is not None
    assert json.loads(provider.plain_inputs["defaultTags"])["tags"] == {
        "project": "olist",
        "environment": program.stack,
        "owner": cloud.tags.owner,
        "cost-centre": cloud.tags.cost_centre,
    }
    for resource in program.resources:
        if resource.type.startswith("aws:"):
            assert resource.provider.startswith(provider.urn)


def test_snowflakes_bill_carries_the_same_tags(program: CapturedProgram) -> None:
    names = Names(EnvironmentName(program.stack))
    tags: dict[str, dict[str, Any]] = {}
    for association in program.of_type("snowflake:index/tagAssociation:TagAssociation"):
        inputs = association.plain_inputs
        if inputs["objectType"] in {"DATABASE", "WAREHOUSE"}:
            for identifier in inputs["objectIdentifiers"]:
                key = inputs["tagId"].split('"')[-2]
                tags.setdefault(identifier.strip('"'), {})[key] = inputs["tagValue"]
    warehouses = {
        one.inputs["name"] for one in program.of_type("snowflake:index/warehouse:Warehouse")
    }
    assert tags.keys() == warehouses | {names.database}
    for values in tags.values():
        assert values["ENVIRONMENT"] == program.stack
        assert values.keys() == {"PROJECT", "ENVIRONMENT", "OWNER", "COST_CENTRE"}


def test_no_secret_is_in_the_state(program: CapturedProgram) -> None:
    """Secrets have no value here, and providers read credentials from the environment."""
    kinds = {_kind(one.type) for one in program.resources}
    assert kinds.isdisjoint({"SecretVersion", "PrivateKey", "AccessKey", "RandomPassword"})
    for resource in program.resources:
        text = json.dumps(resource.shown_inputs)
        assert "PRIVATE KEY" not in text, resource.urn
        for key in resource.inputs:
            assert not re.search(
                r"password|passphrase|privateKey|secretKey|token|passcode", key, re.IGNORECASE
            ), f"{resource.urn}: {key}"
    # The provider takes a login's name for a secret; nothing else here is one.
    assert {
        key
        for resource in program.resources
        for key, value in resource.inputs.items()
        if isinstance(value, Secret)
    } == {"loginName"}


def test_secrets_wait_for_keys_and_for_what_a_running_environment_needs(
    program: CapturedProgram,
) -> None:
    secrets = {
        one.inputs["name"]: one for one in program.of_type("aws:secretsmanager/secret:Secret")
    }
    env = program.stack
    assert secrets.keys() == {
        *(f"olist/{env}/snowflake/{role.name}" for role in SERVICE_ROLES),
        *(
            f"olist/{env}/airflow/config/{key}"
            for key in ("metadata-database", "fernet-key", "api-secret-key", "jwt-secret")
        ),
        f"olist/{env}/alerts/outbox-database",
        f"olist/{env}/alerts/slack-token",
        f"olist/{env}/alerts/smtp-password",
        f"olist/{env}/monitoring/airflow-database",
    }
    for secret in secrets.values():
        assert secret.inputs["tags"] == {"rotate-after-days": "90"}
        assert "/key/" in f"/{secret.inputs['kmsKeyId'].split(':')[-1]}"


def test_what_holds_data_is_protected_in_prod_and_free_in_dev(
    dev: CapturedProgram, prod: CapturedProgram
) -> None:
    stateful = {"Bucket", "Key", "Secret", "Database", "Schema", "Table"}

    def protected(program: CapturedProgram) -> set[bool]:
        found = [
            one for one in program.resources if _kind(one.type) in stateful and not one.is_component
        ]
        assert {_kind(one.type) for one in found} == stateful
        return {one.protect for one in found}

    assert protected(prod) == {True}
    assert protected(dev) == {False}


def test_environments_differ_by_their_files_only(
    dev: CapturedProgram, prod: CapturedProgram
) -> None:
    """Prod has the same resources; a Slack channel and a second address are in its file."""
    extra = {(one.type, one.name) for one in prod.resources} ^ {
        (one.type, one.name) for one in dev.resources
    }
    assert extra == {
        ("aws:iam/role:Role", "alerts-chatbot"),
        ("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration", "alerts"),
        ("aws:sns/topicSubscription:TopicSubscription", "alerts-platform-operations@olist.example"),
    }


def test_who_is_no_longer_told_takes_nobody_elses_alerts_along(
    prod: CapturedProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SNS has one subscription for an address: renumbered, the one kept would go with the other."""
    gone = "data-platform@olist.example"
    after = _capture_changed(
        EnvironmentName.PROD, f"alert_emails: [{gone}, ", "alert_emails: [", tmp_path, monkeypatch
    )
    [change] = compare(prod, after, "main").changes
    assert (change.kind, change.name) == (ChangeKind.DELETE, f"alerts-{gone}")


def test_service_users_log_in_with_a_key_from_known_networks(dev: CapturedProgram) -> None:
    config = read_yaml(ROOT / "environments/Pulumi.dev.yaml")["config"]
    user = dev.named("snowflake:index/serviceUser:ServiceUser", "reporter").plain_inputs
    assert user["rsaPublicKey"] == config["olist:serviceUserKeys"]["reporter"]["current"]
    assert "rsaPublicKey2" not in user
    assert user["defaultRole"] == "FR__OLIST_DEV__REPORTER"
    assert user["defaultNamespace"] == "OLIST_DEV.SERVING"
    assert user["defaultWarehouse"] == "OLIST_DEV_REPORT_WH"
    assert user["defaultSecondaryRolesOption"] == "NONE"
    # Weeks begin on Mondays and timestamps stand still, whatever the account's defaults are.
    assert (user["weekStart"], user["timezone"]) == (1, "UTC")
    assert user["timestampTypeMapping"] == "TIMESTAMP_NTZ"
    assert user["networkPolicy"] == "OLIST_DEV_SERVICES"
    [rule] = dev.of_type("snowflake:index/networkRule:NetworkRule")
    assert rule.plain_inputs["valueLists"] == ["192.0.2.0/24", "198.51.100.0/24"]
    [policy] = dev.of_type("snowflake:index/authenticationPolicy:AuthenticationPolicy")
    assert policy.plain_inputs["authenticationMethods"] == ["KEYPAIR"]
    attached = dev.of_type(
        "snowflake:index/userAuthenticationPolicyAttachment:UserAuthenticationPolicyAttachment"
    )
    assert {one.inputs["userName"] for one in attached} == {
        NAMES.service_user(role.name) for role in SERVICE_ROLES
    }


def test_every_personal_column_carries_the_tag_of_its_class(dev: CapturedProgram) -> None:
    tagged = {
        identifier: one.inputs["tagValue"]
        for one in dev.of_type("snowflake:index/tagAssociation:TagAssociation")
        if one.inputs["objectType"] == "COLUMN"
        for identifier in one.plain_inputs["objectIdentifiers"]
    }
    assert tagged == {
        f'"OLIST_DEV"."RAW"."{dataset.name.upper()}"."{column.name.upper()}"': column.pii.value
        for dataset in CATALOG
        for column in dataset.columns
        if column.pii is not PiiClass.NONE
    }
    tag = dev.named("snowflake:index/tag:Tag", "pii").plain_inputs
    assert tag["orderedAllowedValues"] == ["free_text", "person_identifier", "location"]
    assert tag["maskingPolicies"] == ['"OLIST_DEV"."GOVERNANCE"."MASK_TEXT"']
    assert tag["propagate"] == "ON_DEPENDENCY_AND_DATA_MOVEMENT"
    assert tag["onConflict"] == {"allowedValuesSequence": True}


def test_the_mask_covers_the_type_of_every_column_that_dbt_tags() -> None:
    """A tag's policy is for one data type; a masked column of another would show its values."""
    types = set()
    for path in [*(ROOT / "dbt/models").rglob("*.yml"), *(ROOT / "dbt/snapshots").rglob("*.yml")]:
        content = read_yaml(path)
        for relation in [*content.get("models", []), *content.get("snapshots", [])]:
            for column in relation.get("columns", []):
                if column.get("config", {}).get("meta", {}).get("masking"):
                    types.add(column["data_type"])
    assert types == {"varchar"}


def test_the_mask_shows_identifiers_as_digests_and_nothing_else(dev: CapturedProgram) -> None:
    [mask] = dev.of_type("snowflake:index/maskingPolicy:MaskingPolicy")
    tag = "SYSTEM$GET_TAG_ON_CURRENT_COLUMN('OLIST_DEV.GOVERNANCE.PII')"
    assert mask.inputs["body"].splitlines() == [
        "CASE",
        "  WHEN VALUE IS NULL THEN NULL",
        "  WHEN IS_ROLE_IN_SESSION('AR__OLIST_DEV__PII__UNMASKED') THEN VALUE",
        f"  WHEN {tag} = 'person_identifier' THEN SHA2(VALUE, 256)",
        "  ELSE '***'",
        "END",
    ]


def test_rows_of_people_who_objected_are_hidden(dev: CapturedProgram) -> None:
    [policy] = dev.of_type("snowflake:index/rowAccessPolicy:RowAccessPolicy")
    assert "IS_ROLE_IN_SESSION('AR__OLIST_DEV__PII__UNMASKED')" in policy.inputs["body"]
    assert '"OLIST_DEV"."GOVERNANCE"."OBJECTIONS"' in policy.inputs["body"]
    executed = {
        one.inputs["execute"]: one.inputs["revert"]
        for one in dev.of_type("snowflake:index/execute:Execute")
        if one.name.startswith("objections-")
    }
    on, row = "ALTER TABLE", 'ROW ACCESS POLICY "OLIST_DEV"."GOVERNANCE"."WITHOUT_OBJECTION"'
    assert executed == {
        f'{on} "OLIST_DEV"."RAW"."{table}" ADD {row} ON ("CUSTOMER_ID")': (
            f'{on} "OLIST_DEV"."RAW"."{table}" DROP {row}'
        )
        for table in ("CUSTOMERS", "ORDERS")
    }


def test_monitors_warn_then_stop_then_cut_off(prod: CapturedProgram) -> None:
    monitors = {
        one.inputs["name"]: one.plain_inputs
        for one in prod.of_type("snowflake:index/resourceMonitor:ResourceMonitor")
    }
    assert {name: one["creditQuota"] for name, one in monitors.items()} == {
        "OLIST_PROD_LOAD_MONITOR": 30,
        "OLIST_PROD_TRANSFORM_MONITOR": 230,
        "OLIST_PROD_REPORT_MONITOR": 120,
        "OLIST_PROD_ACCOUNT_MONITOR": 380,
    }
    for one in monitors.values():
        assert one["notifyTriggers"] == [50, 75, 90]
        assert (one["suspendTrigger"], one["suspendImmediateTrigger"]) == (100, 110)
        assert (one["frequency"], one["startTimestamp"]) == ("MONTHLY", "IMMEDIATELY")
    for monitor in prod.of_type("snowflake:index/resourceMonitor:ResourceMonitor"):
        assert monitor.ignore_changes == ("startTimestamp",)
    assert prod.named("snowflake:index/execute:Execute", "account-monitor").inputs["execute"] == (
        "ALTER ACCOUNT SET RESOURCE_MONITOR = OLIST_PROD_ACCOUNT_MONITOR"
    )


def test_warehouses_are_as_the_file_says(prod: CapturedProgram) -> None:
    inputs = prod.named("snowflake:index/warehouse:Warehouse", "warehouse-transform").plain_inputs
    assert inputs == {
        "name": "OLIST_PROD_TRANSFORM_WH",
        "warehouseSize": "MEDIUM",
        "warehouseType": "STANDARD",
        "autoSuspend": 60,
        "autoResume": "true",
        "initiallySuspended": True,
        "minClusterCount": 1,
        "maxClusterCount": 2,
        "scalingPolicy": "ECONOMY",
        "statementTimeoutInSeconds": 7200,
        "statementQueuedTimeoutInSeconds": 1800,
        "resourceMonitor": "OLIST_PROD_TRANSFORM_MONITOR",
        "comment": "Pays for: transform",
    }


def test_aws_tells_of_spending_before_and_after(prod: CapturedProgram) -> None:
    [budget] = prod.of_type(BUDGET)
    assert budget.inputs["limitAmount"] == "500"
    told = [
        (one["notificationType"], one["threshold"]) for one in budget.plain_inputs["notifications"]
    ]
    assert told == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    assert {
        tuple(one["subscriberSnsTopicArns"]) for one in budget.plain_inputs["notifications"]
    } == {("arn:aws:sns:sa-east-1:222222222222:olist-prod-alerts",)}


def test_every_read_of_a_data_file_is_recorded(dev: CapturedProgram) -> None:
    [trail] = dev.of_type("aws:cloudtrail/trail:Trail")
    [management, data] = trail.plain_inputs["advancedEventSelectors"]
    assert management["fieldSelectors"] == [{"field": "eventCategory", "equals": ["Management"]}]
    watched = [one for one in data["fieldSelectors"] if one["field"] == "resources.ARN"]
    assert watched[0]["startsWiths"] == [
        "arn:aws:s3:::olist-dev-landing-111111111111/",
        "arn:aws:s3:::olist-dev-artifacts-111111111111/",
    ]
    # No selector on readOnly: both reads and writes.
    assert {one["field"] for one in data["fieldSelectors"]} == {
        "eventCategory",
        "resources.type",
        "resources.ARN",
    }


def _trust(program: CapturedProgram, role: str) -> Any:
    text = program.named("aws:iam/role:Role", role).plain_inputs["assumeRolePolicy"]
    return json.loads(text)["Statement"]


def _actions(program: CapturedProgram, role: str) -> set[str]:
    text = program.named("aws:iam/rolePolicy:RolePolicy", role).plain_inputs["policy"]
    return {action for one in json.loads(text)["Statement"] for action in one["Action"]}


def test_github_deploys_from_its_environment_and_previews_from_pull_requests(
    prod: CapturedProgram,
) -> None:
    subjects = {}
    for role in ("github-deploy", "github-drift", "github-pull-request"):
        [statement] = _trust(prod, role)
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Principal"]["Federated"].endswith("token.actions.githubusercontent.com")
        claims = statement["Condition"]["StringEquals"]
        assert claims["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        subjects[role] = claims["token.actions.githubusercontent.com:sub"]
    assert subjects == {
        "github-deploy": "repo:olist/olist-platform:environment:production",
        "github-drift": "repo:olist/olist-platform:environment:prod-drift",
        "github-pull-request": "repo:olist/olist-platform:pull_request",
    }


def test_a_deploying_jobs_credentials_outlive_the_hour_that_aws_gives(
    prod: CapturedProgram,
) -> None:
    seconds = {
        role: prod.named("aws:iam/role:Role", role).plain_inputs.get("maxSessionDuration")
        for role in ("github-deploy", "github-drift", "github-pull-request")
    }
    assert seconds == {"github-deploy": 10800, "github-drift": 3600, "github-pull-request": None}


def test_pull_requests_change_nothing_and_read_no_data(dev: CapturedProgram) -> None:
    verbs = {action.split(":")[1] for action in _actions(dev, "github-pull-request")}
    reading = ("Get", "List", "Describe", "View", "Decrypt", "Encrypt", "GenerateDataKey")
    assert [verb for verb in verbs if not verb.startswith(reading)] == []
    policy = dev.named("aws:iam/rolePolicy:RolePolicy", "github-pull-request").plain_inputs
    files = [
        resource
        for one in json.loads(policy["policy"])["Statement"]
        if "s3:GetObject" in one["Action"]
        for resource in ([one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"])
    ]
    assert files
    assert not any("landing" in resource or "audit" in resource for resource in files)
    assert "secretsmanager:GetSecretValue" not in _actions(dev, "github-pull-request")


def test_jobs_read_the_keys_they_log_in_with_and_no_other(dev: CapturedProgram) -> None:
    secrets = {}
    for role in ("github-deploy", "github-drift"):
        policy = dev.named("aws:iam/rolePolicy:RolePolicy", role).plain_inputs["policy"]
        [read] = [
            one
            for one in json.loads(policy)["Statement"]
            if "secretsmanager:GetSecretValue" in one["Action"]
        ]
        secrets[role] = {
            name.rpartition(":")[2].removesuffix("-??????") for name in read["Resource"]
        }
    assert secrets == {
        "github-deploy": {"olist/dev/snowflake/deployer", "olist/dev/snowflake/transformer"},
        "github-drift": {"olist/dev/snowflake/deployer"},
    }
    verbs = {action.split(":")[1] for action in _actions(dev, "github-drift")}
    writing = ("Put", "Create", "Delete", "Update", "Tag", "Untag", "Pass", "Set")
    assert [verb for verb in verbs if verb.startswith(writing)] == []


# What the provider asks AWS for when it reads a resource. Sources: the Read functions in
# internal/service/*/*.go of hashicorp/terraform-provider-aws.
_ASKED_BY_A_REFRESH = {
    "Alias": {"kms:ListAliases"},
    "Budget": {"budgets:ViewBudget", "budgets:ListTagsForResource"},
    "Bucket": {"s3:ListBucket", "s3:GetBucketPolicy", "s3:GetBucketTagging"},
    "BucketLifecycleConfiguration": {"s3:GetLifecycleConfiguration"},
    "BucketLogging": {"s3:GetBucketLogging"},
    "BucketNotification": {"s3:GetBucketNotification"},
    "BucketOwnershipControls": {"s3:GetBucketOwnershipControls"},
    "BucketPolicy": {"s3:GetBucketPolicy"},
    "BucketPublicAccessBlock": {"s3:GetBucketPublicAccessBlock"},
    "BucketServerSideEncryptionConfiguration": {"s3:GetEncryptionConfiguration"},
    "BucketVersioning": {"s3:GetBucketVersioning"},
    "Key": {
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListResourceTags",
    },
    "OpenIdConnectProvider": {"iam:GetOpenIDConnectProvider"},
    "Policy": {"iam:GetPolicy", "iam:GetPolicyVersion"},
    "Role": {"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"},
    "RolePolicy": {"iam:GetRolePolicy"},
    "Secret": {"secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"},
    "SlackChannelConfiguration": {
        "chatbot:DescribeSlackChannelConfigurations",
        "chatbot:ListTagsForResource",
    },
    "Topic": {"sns:GetTopicAttributes", "sns:ListTagsForResource"},
    "TopicPolicy": {"sns:GetTopicAttributes"},
    "TopicSubscription": {"sns:GetSubscriptionAttributes"},
    "Trail": {
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:ListTags",
    },
}
# Those that name no resource in AWS's Service Authorization Reference: on an ARN, they are denied.
_ON_EVERY_RESOURCE_ONLY = {
    "chatbot:DescribeSlackChannelConfigurations",
    "chatbot:ListTagsForResource",
    "cloudtrail:DescribeTrails",
    "kms:ListAliases",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
}


def test_every_job_may_read_every_resource_that_a_refresh_reads(prod: CapturedProgram) -> None:
    types = {_kind(one.type) for one in prod.resources if one.type.startswith("aws:")}
    assert types == _ASKED_BY_A_REFRESH.keys()
    asked = set().union(*_ASKED_BY_A_REFRESH.values())
    for role in ("github-deploy", "github-drift", "github-pull-request"):
        assert asked - _actions(prod, role) == set(), role
        text = prod.named("aws:iam/rolePolicy:RolePolicy", role).plain_inputs["policy"]
        for statement in json.loads(text)["Statement"]:
            named = set(statement["Action"]) & _ON_EVERY_RESOURCE_ONLY
            assert not named or statement["Resource"] == "*", named


def test_prods_deployer_reads_devs_releases_and_nobody_elses_does(
    dev: CapturedProgram, prod: CapturedProgram
) -> None:
    bucket, account = "arn:aws:s3:::olist-dev-artifacts-111111111111", "222222222222"
    role = f"arn:aws:iam::{account}:role/olist-prod-deploy"
    assert role.endswith(prod.named("aws:iam/role:Role", "github-deploy").inputs["name"])
    [of_bucket] = _promotion(dev.named("aws:s3/bucketPolicy:BucketPolicy", "artifacts"))
    [of_key] = _promotion(dev.named("aws:kms/key:Key", "encryption-key"))
    for statement in (of_bucket, of_key):
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{account}:root"}
        assert statement["Condition"]["ArnEquals"] == {"aws:PrincipalArn": role}
    assert of_bucket["Resource"] == [bucket, f"{bucket}/*"]
    assert set(of_bucket["Action"]) == {"s3:GetObject", "s3:ListBucket"}
    context = {"kms:EncryptionContext:aws:s3:arn": bucket}
    assert (of_key["Action"], of_key["Condition"]["StringEquals"]) == (["kms:Decrypt"], context)
    policy = prod.named("aws:iam/rolePolicy:RolePolicy", "github-deploy").plain_inputs["policy"]
    allowed = [one for one in json.loads(policy)["Statement"] if bucket in str(one)]
    assert {action for one in allowed for action in one["Action"]} == {
        "s3:GetObject",
        "s3:ListBucket",
        "kms:Decrypt",
    }
    assert _promotion(prod.named("aws:s3/bucketPolicy:BucketPolicy", "artifacts")) == []


def _promotion(resource: CapturedResource) -> list[dict[str, Any]]:
    statements = json.loads(resource.plain_inputs["policy"])["Statement"]
    return [one for one in statements if one.get("Sid") == "PromotionReads"]


def test_a_deployment_cannot_widen_its_own_role(dev: CapturedProgram) -> None:
    policy = dev.named("aws:iam/rolePolicy:RolePolicy", "github-deploy").plain_inputs
    writable = {
        resource
        for one in json.loads(policy["policy"])["Statement"]
        if "iam:PutRolePolicy" in one["Action"]
        for resource in one["Resource"]
    }
    roles = {
        f"arn:aws:iam::111111111111:role/{one.inputs['name']}"
        for one in dev.of_type("aws:iam/role:Role")
    }
    own = {
        f"arn:aws:iam::111111111111:role/olist-dev-{name}"
        for name in ("deploy", "drift", "pull-request")
    }
    assert writable & own == set()
    assert writable >= roles - own


def test_a_role_that_a_deployment_writes_can_do_no_more_than_its_boundary(
    prod: CapturedProgram,
) -> None:
    """Else a job could write itself an administrator: a policy, and trust in itself."""
    [boundary] = prod.of_type("aws:iam/policy:Policy")
    arn = f"arn:aws:iam::222222222222:policy/{boundary.inputs['name']}"
    text = prod.named("aws:iam/rolePolicy:RolePolicy", "github-deploy").plain_inputs["policy"]
    statements = json.loads(text)["Statement"]
    writing = ("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy")
    for one in statements:
        if set(one["Action"]) & set(writing):
            assert one["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": arn}}
    actions = _actions(prod, "github-deploy")
    assert set(writing) <= actions
    assert not {one for one in actions if "Boundary" in one or one.startswith("iam:CreatePolicy")}
    written = {
        resource.rpartition("/")[2]
        for one in statements
        if "iam:PutRolePolicy" in one["Action"]
        for resource in one["Resource"]
    }
    allowed = {
        action
        for one in json.loads(boundary.plain_inputs["policy"])["Statement"]
        for action in one["Action"]
    }
    roles = [one for one in prod.of_type("aws:iam/role:Role") if one.inputs["name"] in written]
    assert {one.inputs["name"] for one in roles} == written
    for role in roles:
        assert role.inputs["permissionsBoundary"] == arn
        policies = [
            one
            for one in prod.of_type("aws:iam/rolePolicy:RolePolicy")
            if one.inputs["role"] == role.inputs["name"]
        ]
        for policy in policies:
            for one in json.loads(policy.plain_inputs["policy"])["Statement"]:
                assert set(one["Action"]) <= allowed


def test_what_an_account_has_once_is_left_to_the_environment_that_owns_it(
    dev: CapturedProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = _capture_changed(
        EnvironmentName.DEV,
        "owns_account_objects: true",
        "owns_account_objects: false",
        tmp_path,
        monkeypatch,
    )
    gone = {(_kind(one.type), one.name) for one in dev.resources} - {
        (_kind(one.type), one.name) for one in guest.resources
    }
    assert gone == {
        ("OpenIdConnectProvider", "github"),
        ("ResourceMonitor", "monitor-account"),
        ("Execute", "account-monitor"),
    }
    assert _trust(guest, "github-deploy") == _trust(dev, "github-deploy")


def test_the_outputs_are_what_dbt_and_airflow_use(
    prod: CapturedProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLIST_SNOWFLAKE_PRIVATE_KEY", "unused")
    environment = load_environment(EnvironmentName.PROD)
    outputs, dbt = prod.outputs, dbt_variables(environment)
    assert dbt["OLIST_SNOWFLAKE_ACCOUNT"] == outputs["snowflakeAccount"]
    assert dbt["OLIST_SNOWFLAKE_DATABASE"] == outputs["database"]
    assert dbt["OLIST_SNOWFLAKE_USER"] == outputs["serviceUsers"]["transformer"]
    assert dbt["OLIST_SNOWFLAKE_ROLE"] == outputs["functionalRoles"]["transformer"]
    assert dbt["OLIST_SNOWFLAKE_WAREHOUSE"] == outputs["warehouses"]["transform"]
    assert dbt["OLIST_SNOWFLAKE_MONITORING_WAREHOUSE"] == outputs["warehouses"]["report"]
    assert json.loads(dbt["OLIST_SNOWFLAKE_WAREHOUSE_SIZES"]) == {
        warehouse.inputs["name"]: warehouse.inputs["warehouseSize"]
        for warehouse in prod.resources
        if _kind(warehouse.type) == "Warehouse"
    }
    assert dbt["OLIST_RAW_SCHEMA"].upper() == outputs["schemas"]["raw"]
    assert environment.landing_url == f"s3://{outputs['landingBucket']}"
    assert outputs["functionalRoles"].keys() == {role.name for role in FUNCTIONAL_ROLES}
    assert outputs["artifactBucket"] == "olist-prod-artifacts-222222222222"
    assert outputs["deployRole"] == "arn:aws:iam::222222222222:role/olist-prod-deploy"
    assert "olist/prod/snowflake/transformer" in outputs["secrets"]
