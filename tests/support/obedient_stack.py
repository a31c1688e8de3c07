"""A small stack that obeys every rule of the policy pack, to be spoilt one property at a time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from olist_platform.infrastructure_plan.captured_resources import CapturedProgram, CapturedResource

ACCOUNTS = {"dev": "111111111111", "prod": "222222222222"}
STATEFUL = ("bucket", "log-bucket", "key", "secret", "database", "schema", "customers")


def resource(
    type_token: str,
    name: str,
    inputs: Mapping[str, Any],
    *,
    stack: str = "dev",
    computed_from: Mapping[str, str] | None = None,
    provider: str = "",
    protect: bool = False,
) -> CapturedResource:
    """Make a resource; `computed_from` gives the URN that an input came from."""
    return CapturedResource(
        urn=urn(type_token, name, stack),
        type=type_token,
        name=name,
        is_component=type_token.startswith("olist:"),
        inputs=inputs,
        property_dependencies={key: (value,) for key, value in (computed_from or {}).items()},
        dependencies=tuple((computed_from or {}).values()),
        provider=provider,
        protect=protect,
    )


def urn(type_token: str, name: str, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::olist::{type_token}::{name}"


@dataclass(frozen=True)
class Stack:
    """Resources by logical name; every change makes a new stack."""

    name: str
    resources: Mapping[str, CapturedResource]

    @property
    def program(self) -> CapturedProgram:
        return CapturedProgram("olist", self.name, tuple(self.resources.values()), {})

    def changed(self, name: str, /, **inputs: Any) -> "Stack":
        """Return the stack with other inputs of one resource; None takes an input away."""
        kept = {**self.resources[name].inputs, **inputs}
        without = {key: value for key, value in kept.items() if value is not None}
        return self.with_(replace(self.resources[name], inputs=without))

    def with_(self, *resources: CapturedResource) -> "Stack":
        return Stack(self.name, {**self.resources, **{new.name: new for new in resources}})

    def without(self, *names: str) -> "Stack":
        return Stack(
            self.name, {key: value for key, value in self.resources.items() if key not in names}
        )

    def add(self, type_token: str, name: str, /, **inputs: Any) -> "Stack":
        return self.with_(resource(type_token, name, inputs, stack=self.name))


def allow(actions: str | list[str], resources: str | list[str], **more: Any) -> dict[str, Any]:
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def document(*statements: Mapping[str, Any]) -> str:
    """Return a policy document as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def obedient_stack(stack: str = "dev") -> Stack:
    """Return a stack of AWS and Snowflake that no rule complains of."""
    account = ACCOUNTS[stack]
    made = [*_buckets(stack, account), *_aws(stack, account), *_snowflake(stack)]
    protected = [replace(one, protect=stack == "prod" and one.name in STATEFUL) for one in made]
    return Stack(stack, {one.name: one for one in protected})


def tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _buckets(stack: str, account: str) -> list[CapturedResource]:
    made: list[CapturedResource] = []
    bucket_type = "aws:s3/bucket:Bucket"
    for prefix, purpose in (("", "landing"), ("log-", "logs")):
        name = f"olist-{stack}-{purpose}-{account}"
        owner = {"bucket": urn(bucket_type, f"{prefix}bucket", stack)}
        encryption = (
            {"sseAlgorithm": "AES256"}
            if prefix
            else {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:key"}
        )
        made.append(
            resource(
                bucket_type,
                f"{prefix}bucket",
                {"bucket": name, "tags": _tags(stack)},
                stack=stack,
            )
        )
        companions: dict[str, dict[str, Any]] = {
            "bucketPublicAccessBlock": {
                "blockPublicAcls": True,
                "blockPublicPolicy": True,
                "ignorePublicAcls": True,
                "restrictPublicBuckets": True,
            },
            "bucketPolicy": {"policy": document(tls_only(name))},
            "bucketOwnershipControls": {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
            "bucketVersioning": {"versioningConfiguration": {"status": "Enabled"}},
            "bucketServerSideEncryptionConfiguration": {
                "rules": [{"applyServerSideEncryptionByDefault": encryption}]
            },
            "bucketLifecycleConfiguration": {
                "rules": [
                    {
                        "id": "sweep",
                        "status": "Enabled",
                        "noncurrentVersionExpiration": {"noncurrentDays": 30.0},
                        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7.0},
                    }
                ]
            },
        }
        for kind, inputs in companions.items():
            made.append(
                resource(
                    f"aws:s3/{kind}:{kind[0].upper()}{kind[1:]}",
                    f"{prefix}{kind}",
                    {"bucket": name, **inputs},
                    stack=stack,
                    computed_from=owner,
                )
            )
    landing, logs = (urn(bucket_type, name, stack) for name in ("bucket", "log-bucket"))
    made.append(
        resource(
            "aws:s3/bucketLogging:BucketLogging",
            "logging",
            {"targetPrefix": "landing/"},
            stack=stack,
            computed_from={"bucket": landing, "targetBucket": logs},
        )
    )
    made.append(
        resource(
            "aws:s3/bucketNotification:BucketNotification",
            "notification",
            {"queues": [{"queueArn": "arn:aws:sqs", "events": ["s3:ObjectCreated:*"]}]},
            stack=stack,
            computed_from={"bucket": landing},
        )
    )
    return made


def _tags(stack: str) -> dict[str, str]:
    return {"project": "olist", "environment": stack, "owner": "data-platform"}


def _aws(stack: str, account: str) -> list[CapturedResource]:
    tags = {"tags": _tags(stack)}
    key = f"arn:aws:kms:sa-east-1:{account}:key/one"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::999999999999:user/snowflake"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "olist"}},
    }
    github = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/token"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": f"repo:olist/o:environment:{stack}",
            }
        },
    }
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "key": ("aws:kms/key:Key", {"enableKeyRotation": True, "deletionWindowInDays": 30.0}),
        "topic": ("aws:sns/topic:Topic", {"name": "alerts", "kmsMasterKeyId": key}),
        "secret": ("aws:secretsmanager/secret:Secret", {"name": "key", "kmsKeyId": key}),
        "budget": (
            "aws:budgets/budget:Budget",
            {
                "budgetType": "COST",
                "timeUnit": "MONTHLY",
                "limitAmount": "50",
                "notifications": [
                    {"notificationType": kind, "subscriberSnsTopicArns": ["arn:aws:sns:alerts"]}
                    for kind in ("ACTUAL", "FORECASTED")
                ],
            },
        ),
        "trail": (
            "aws:cloudtrail/trail:Trail",
            {"kmsKeyId": key, "enableLogFileValidation": True, "isMultiRegionTrail": True},
        ),
        "reader": ("aws:iam/role:Role", {"assumeRolePolicy": document(trust)}),
        "github": ("aws:iam/role:Role", {"assumeRolePolicy": document(github)}),
    }
    resources = [
        resource(type_token, name, {**inputs, **tags}, stack=stack)
        for name, (type_token, inputs) in made.items()
    ]
    resources.append(
        resource(
            "aws:iam/rolePolicy:RolePolicy",
            "reads",
            {"policy": document(allow("s3:GetObject", f"arn:aws:s3:::olist-{stack}/*"))},
            stack=stack,
        )
    )
    return resources


def _snowflake(stack: str) -> list[CapturedResource]:
    database = f"OLIST_{stack.upper()}"
    provider_urn = urn("pulumi:providers:snowflake", "account", stack)
    flags = ["snowflake_table_resource", "snowflake_pipe_resource"]
    qualified = f'"{database}"."RAW"'
    role = f"FR__{database}__LOADER"
    in_schema = {"database": database, "schema": "RAW"}
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "database": ("Database", {"name": database, "dataRetentionTimeInDays": 7.0}),
        "schema": ("Schema", {"name": "RAW", "database": database, "withManagedAccess": "true"}),
        "customers": (
            "Table",
            {
                **in_schema,
                "name": "CUSTOMERS",
                "columns": [
                    {"name": name, "type": "VARCHAR"}
                    for name in ("CUSTOMER_ID", "CUSTOMER_UNIQUE_ID", "CUSTOMER_CITY", "_LOADED_AT")
                ],
            },
        ),
        "warehouse": (
            "Warehouse",
            {
                "name": f"{database}_LOAD_WH",
                "autoSuspend": 60.0,
                "autoResume": "true",
                "initiallySuspended": True,
                "statementTimeoutInSeconds": 3600.0,
                "statementQueuedTimeoutInSeconds": 600.0,
                "resourceMonitor": f"{database}_LOAD_MONITOR",
            },
        ),
        "monitor": (
            "ResourceMonitor",
            {
                "name": f"{database}_LOAD_MONITOR",
                "creditQuota": 10.0,
                "frequency": "MONTHLY",
                "notifyTriggers": [50.0, 75.0, 90.0],
                "suspendTrigger": 100.0,
                "suspendImmediateTrigger": 110.0,
            },
        ),
        "role": ("AccountRole", {"name": role}),
        "roll-up": ("GrantAccountRole", {"roleName": role, "parentRoleName": "SYSADMIN"}),
        "user-role": (
            "GrantAccountRole",
            {"roleName": role, "userName": f"SVC__{database}__LOADER"},
        ),
        "access-role": ("DatabaseRole", {"database": database, "name": "AR__RAW__LOAD"}),
        "access-role-held": (
            "GrantDatabaseRole",
            {"databaseRoleName": f'"{database}"."AR__RAW__LOAD"', "parentRoleName": role},
        ),
        "usage": (
            "GrantPrivilegesToDatabaseRole",
            {
                "databaseRoleName": f'"{database}"."AR__RAW__LOAD"',
                "privileges": ["INSERT", "SELECT"],
                "onSchemaObject": {"future": {"objectTypePlural": "TABLES", "inSchema": qualified}},
            },
        ),
        "user": (
            "ServiceUser",
            {
                "name": f"SVC__{database}__LOADER",
                "defaultRole": role,
                "rsaPublicKey": "MIIBIjANBgkq",
                "networkPolicy": f"{database}_SERVICES",
            },
        ),
        "network": ("NetworkPolicy", {"name": f"{database}_SERVICES"}),
        "rule": (
            "NetworkRule",
            {
                **in_schema,
                "name": "SERVICES",
                "type": "IPV4",
                "mode": "INGRESS",
                "valueLists": ["192.0.2.0/24"],
            },
        ),
        "authentication": (
            "AuthenticationPolicy",
            {**in_schema, "name": "KEY_PAIR_ONLY", "authenticationMethods": ["KEYPAIR"]},
        ),
        "attachment": (
            "UserAuthenticationPolicyAttachment",
            {
                "userName": f"SVC__{database}__LOADER",
                "authenticationPolicyName": f'{qualified}."KEY_PAIR_ONLY"',
            },
        ),
        "mask": (
            "MaskingPolicy",
            {
                **in_schema,
                "name": "MASK_PERSON",
                "arguments": [{"name": "VAL", "type": "VARCHAR"}],
                "returnDataType": "VARCHAR",
                "body": f"case when is_role_in_session('AR__{database}__PII__UNMASKED') then val "
                "else sha2(val) end",
            },
        ),
        "tag": (
            "Tag",
            {
                **in_schema,
                "name": "PII",
                "maskingPolicies": [f'{qualified}."MASK_PERSON"'],
                "propagate": "ON_DEPENDENCY_AND_DATA_MOVEMENT",
                "onConflict": {"allowedValuesSequence": True},
            },
        ),
        "masked": (
            "TagAssociation",
            {
                "objectType": "COLUMN",
                "tagId": f'{qualified}."PII"',
                "tagValue": "person",
                "objectIdentifiers": [
                    f'{qualified}."CUSTOMERS"."{column}"'
                    for column in (
                        "CUSTOMER_UNIQUE_ID",
                        "CUSTOMER_ZIP_CODE_PREFIX",
                        "CUSTOMER_CITY",
                    )
                ],
            },
        ),
    }
    return [
        resource(
            "pulumi:providers:snowflake",
            "account",
            {"previewFeaturesEnabled": json.dumps(flags)},
            stack=stack,
        ),
        *(
            resource(
                f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}",
                name,
                inputs,
                stack=stack,
                provider=f"{provider_urn}::id",
            )
            for name, (kind, inputs) in made.items()
        ),
        resource("olist:snowflake:AnalyticsDatabase", "analytics-database", {}, stack=stack),
    ]
