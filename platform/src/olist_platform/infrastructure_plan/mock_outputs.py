"""What the clouds would answer: the computed outputs that a program may build upon.

The values have the form of real ones and depend on nothing but the inputs, so two captures of one
program are equal.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks

from olist_platform.errors import OlistError

# Accounts of Snowflake's own in AWS, as DESCRIBE INTEGRATION and SHOW PIPES name them.
_SNOWFLAKE_AWS_ACCOUNT = "999999999999"


class PlausibleCloud(Mocks):
    """AWS and Snowflake as far as a program can see them.

    Attributes:
        account_id: AWS account of the environment.
        region: AWS region of the environment.
    """

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id = account_id
        self.region = region

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Return the identifier and the outputs of a new resource."""
        package = args.typ.split(":", 1)[0]
        if package == "aws":
            return self._aws(args)
        if package == "snowflake":
            return self._snowflake(args)
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> dict[str, Any]:  # type: ignore[override]
        """Answer a provider's function.

        Raises:
            OlistError: There is no answer for it.
        """
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": self.account_id,
                "arn": f"arn:aws:iam::{self.account_id}:user/deployer",
                "userId": "AIDAEXAMPLEDEPLOYER00",
                "id": self.account_id,
            },
            "aws:index/getRegion:getRegion": {
                "name": self.region,
                "region": self.region,
                "id": self.region,
            },
            "aws:index/getPartition:getPartition": {
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "id": "aws",
            },
        }
        try:
            return answers[args.token]
        except KeyError:
            raise OlistError(
                f"the program asks the provider for {args.token}, which only a cloud can answer",
                "compute the value from the environment's file, or give "
                "infrastructure_plan/mock_outputs.py an answer",
            ) from None

    def _aws(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = args.inputs
        name = _aws_name(args)
        arn = self._arn(args.typ, name)
        outputs = {**inputs, "arn": arn, "name": inputs.get("name", name)}
        if "tags" in inputs:
            outputs["tagsAll"] = inputs["tags"]
        match args.typ:
            case "aws:s3/bucket:Bucket":
                outputs |= {
                    "bucket": name,
                    "bucketDomainName": f"{name}.s3.amazonaws.com",
                    "bucketRegionalDomainName": f"{name}.s3.{self.region}.amazonaws.com",
                    "region": self.region,
                }
            case "aws:kms/key:Key":
                key_id = _uuid(args.name)
                outputs |= {
                    "keyId": key_id,
                    "arn": f"arn:aws:kms:{self.region}:{self.account_id}:key/{key_id}",
                }
                return key_id, outputs
            case "aws:kms/alias:Alias":
                outputs |= {"targetKeyArn": str(inputs.get("targetKeyId", ""))}
            case "aws:sqs/queue:Queue":
                url = f"https://sqs.{self.region}.amazonaws.com/{self.account_id}/{name}"
                outputs |= {"url": url}
                return url, outputs
            case "aws:secretsmanager/secretVersion:SecretVersion":
                outputs |= {"arn": inputs.get("secretId"), "versionId": _uuid(args.name)}
        by_arn = ("sns", "secretsmanager", "cloudtrail")
        service = _service(args.typ)
        return (outputs["arn"] if service in by_arn else name), outputs

    def _arn(self, type_token: str, name: str) -> str:
        service = _service(type_token)
        kind = type_token.rsplit(":", 1)[1]
        local = f"{self.region}:{self.account_id}"
        forms = {
            "aws:s3/bucket:Bucket": f"arn:aws:s3:::{name}",
            "aws:iam/role:Role": f"arn:aws:iam::{self.account_id}:role/{name}",
            "aws:iam/policy:Policy": f"arn:aws:iam::{self.account_id}:policy/{name}",
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider": (
                f"arn:aws:iam::{self.account_id}:oidc-provider/{name.removeprefix('https://')}"
            ),
            "aws:kms/alias:Alias": f"arn:aws:kms:{local}:{name}",
            "aws:sns/topic:Topic": f"arn:aws:sns:{local}:{name}",
            "aws:sqs/queue:Queue": f"arn:aws:sqs:{local}:{name}",
            "aws:cloudtrail/trail:Trail": f"arn:aws:cloudtrail:{local}:trail/{name}",
            "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:{local}:log-group:{name}",
            "aws:budgets/budget:Budget": f"arn:aws:budgets::{self.account_id}:budget/{name}",
            "aws:secretsmanager/secret:Secret": (
                f"arn:aws:secretsmanager:{local}:secret:{name}-{_digest(name)[:6]}"
            ),
        }
        kind_path = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
        return forms.get(type_token, f"arn:aws:{service}:{local}:{kind_path}/{name}")

    def _snowflake(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = args.inputs
        qualified = _snowflake_name(inputs)
        outputs: dict[str, Any] = {**inputs}
        if qualified:
            outputs["fullyQualifiedName"] = qualified
        match args.typ:
            case "snowflake:index/pipe:Pipe":
                # One queue for all pipes of an account over one bucket.
                outputs |= {
                    "notificationChannel": (
                        f"arn:aws:sqs:{self.region}:{_SNOWFLAKE_AWS_ACCOUNT}:sf-snowpipe-EXAMPLE"
                    ),
                    "owner": "SYSADMIN",
                }
            case "snowflake:index/storageIntegrationAws:StorageIntegrationAws":
                outputs["describeOutputs"] = [
                    {
                        "enabled": bool(inputs.get("enabled")),
                        "provider": inputs.get("storageProvider", "S3"),
                        "allowedLocations": inputs.get("storageAllowedLocations", []),
                        "iamUserArn": f"arn:aws:iam::{_SNOWFLAKE_AWS_ACCOUNT}:user/snowflake",
                        "roleArn": inputs.get("storageAwsRoleArn", ""),
                        "externalId": inputs.get("storageAwsExternalId", "GENERATED_BY_SNOWFLAKE"),
                    }
                ]
            case "snowflake:index/notificationIntegration:NotificationIntegration":
                outputs |= {
                    "awsSnsIamUserArn": f"arn:aws:iam::{_SNOWFLAKE_AWS_ACCOUNT}:user/snowflake",
                    "awsSnsExternalId": "GENERATED_BY_SNOWFLAKE",
                }
        return qualified or f"{args.name}-id", outputs


def _service(type_token: str) -> str:
    return type_token.split(":")[1].split("/", maxsplit=1)[0]


def _aws_name(args: MockResourceArgs) -> str:
    """The physical name: what the program set, else the logical name."""
    for key in ("bucket", "name", "url", "roleName", "alias"):
        value = args.inputs.get(key)
        if isinstance(value, str) and value:
            return value
    return args.name


def _snowflake_name(inputs: Mapping[str, Any]) -> str:
    name = inputs.get("name")
    if not isinstance(name, str):
        return ""
    levels = [inputs.get("database"), inputs.get("schema"), name]
    return ".".join('"' + str(level).strip('"') + '"' for level in levels if level)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _uuid(text: str) -> str:
    digest = _digest(text)
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
