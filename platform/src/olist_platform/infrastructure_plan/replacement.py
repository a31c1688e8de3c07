"""Which properties a provider cannot alter: their change drops the object and recreates it.

Only the provider knows for sure; this table holds what is documented for the types the program
uses. Sources: `ForceNew` and `CustomizeDiff` in pkg/resources/*.go of
snowflakedb/terraform-provider-snowflake 2.20.0, and `ForceNew` or `RequiresReplace` in
internal/service/*/*.go of hashicorp/terraform-provider-aws; the Pulumi providers are generated
from them.
"""

import re
from collections.abc import Mapping

# Keys are type tokens, values the inputs by the provider's camelCase names.
REPLACING_PROPERTIES: Mapping[str, frozenset[str]] = {
    token: frozenset(names.split())
    for token, names in {
        "snowflake:index/accountParameter:AccountParameter": "key",
        "snowflake:index/authenticationPolicy:AuthenticationPolicy": "database schema",
        "snowflake:index/database:Database": "isTransient",
        "snowflake:index/databaseRole:DatabaseRole": "database",
        "snowflake:index/emailNotificationIntegration:EmailNotificationIntegration": "name",
        "snowflake:index/execute:Execute": "execute",
        "snowflake:index/fileFormatCsv:FileFormatCsv": "database schema",
        "snowflake:index/grantAccountRole:GrantAccountRole": "roleName userName parentRoleName",
        "snowflake:index/grantDatabaseRole:GrantDatabaseRole": (
            "databaseRoleName parentRoleName parentDatabaseRoleName shareName"
        ),
        "snowflake:index/grantOwnership:GrantOwnership": (
            "accountRoleName databaseRoleName outboundPrivileges on"
        ),
        "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole": (
            "accountRoleName withGrantOption onAccount onAccountObject onSchema onSchemaObject"
        ),
        "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole": (
            "databaseRoleName withGrantOption onDatabase onSchema onSchemaObject"
        ),
        "snowflake:index/maskingPolicy:MaskingPolicy": (
            "database schema arguments returnDataType exemptOtherPolicies"
        ),
        "snowflake:index/networkRule:NetworkRule": "name schema database type mode",
        "snowflake:index/notificationIntegration:NotificationIntegration": (
            "name notificationProvider"
        ),
        "snowflake:index/pipe:Pipe": (
            "name schema database copyStatement autoIngest awsSnsTopicArn"
        ),
        "snowflake:index/resourceMonitor:ResourceMonitor": "name",
        "snowflake:index/rowAccessPolicy:RowAccessPolicy": "database schema arguments",
        "snowflake:index/schema:Schema": "database isTransient",
        "snowflake:index/stageExternalS3:StageExternalS3": "database schema",
        "snowflake:index/storageIntegrationAws:StorageIntegrationAws": "name storageProvider",
        "snowflake:index/table:Table": "database schema",
        "snowflake:index/tag:Tag": "database schema",
        "snowflake:index/tagAssociation:TagAssociation": "objectType tagId",
        "snowflake:index/userAuthenticationPolicyAttachment:UserAuthenticationPolicyAttachment": (
            "userName"
        ),
        "aws:budgets/budget:Budget": "name",
        "aws:cloudtrail/trail:Trail": "name",
        "aws:cloudwatch/logGroup:LogGroup": "name",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "url",
        "aws:iam/policy:Policy": "name path",
        "aws:iam/role:Role": "name path",
        "aws:iam/rolePolicy:RolePolicy": "name role",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "role policyArn",
        "aws:kms/alias:Alias": "name",
        "aws:kms/key:Key": "customerMasterKeySpec keyUsage multiRegion",
        "aws:s3/bucket:Bucket": "bucket objectLockEnabled",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "bucket",
        "aws:s3/bucketLogging:BucketLogging": "bucket",
        "aws:s3/bucketNotification:BucketNotification": "bucket",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "bucket",
        "aws:s3/bucketPolicy:BucketPolicy": "bucket",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "bucket",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            "bucket"
        ),
        "aws:s3/bucketVersioning:BucketVersioning": "bucket",
        "aws:secretsmanager/secret:Secret": "name",
        "aws:secretsmanager/secretVersion:SecretVersion": "secretId secretString",
        "aws:sns/topic:Topic": "name fifoTopic",
        "aws:sns/topicPolicy:TopicPolicy": "arn",
        "aws:sns/topicSubscription:TopicSubscription": "topic protocol endpoint",
        "aws:sqs/queue:Queue": "name fifoQueue",
    }.items()
}


def replaces(type_token: str, path: str) -> bool:
    """Whether a change at a path of a resource's inputs is known to replace the resource."""
    return top_level_property(path) in REPLACING_PROPERTIES.get(type_token, frozenset())


def top_level_property(path: str) -> str:
    """Return the input in which a path such as `rules[0].status` lies."""
    return re.split(r"[.\[#]", path, maxsplit=1)[0]
