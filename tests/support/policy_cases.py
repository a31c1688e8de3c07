"""One way, or more, to break each rule of the policy pack."""

from dataclasses import dataclass, replace

from obedient_stack import Stack, allow, document, obedient_stack, resource, tls_only

DEV = obedient_stack("dev")
PROD = obedient_stack("prod")


@dataclass(frozen=True)
class Case:
    """A spoilt stack.

    Attributes:
        rule: The only rule it breaks.
        what: How it is spoilt.
        stack: The stack.
        offenders: Logical names of the resources that the rule names.
        says: A part of what the rule finds.
        also: A second rule that it cannot but break too.
    """

    rule: str
    what: str
    stack: Stack
    offenders: tuple[str, ...]
    says: str = ""
    also: str = ""


def _trust(**statement: object) -> str:
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", **statement})


_BUCKET = "olist-dev-landing-111111111111"
_FEDERATED = {"Principal": {"Federated": "arn:aws:iam::111111111111:oidc-provider/token"}}

S3 = (
    Case(
        "s3-public-access-blocked",
        "no block",
        DEV.without("bucketPublicAccessBlock"),
        ("bucket",),
        "no public access block",
    ),
    Case(
        "s3-public-access-blocked",
        "one switch off",
        DEV.changed("bucketPublicAccessBlock", blockPublicPolicy=False),
        ("bucketPublicAccessBlock",),
        "blockPublicPolicy is not true",
    ),
    Case("s3-tls-only", "no bucket policy", DEV.without("log-bucketPolicy"), ("log-bucket",)),
    Case(
        "s3-tls-only",
        "objects forgotten",
        DEV.changed(
            "bucketPolicy",
            policy=document(tls_only(_BUCKET) | {"Resource": f"arn:aws:s3:::{_BUCKET}"}),
        ),
        ("bucket",),
    ),
    Case(
        "s3-ownership-enforced",
        "object writers own",
        DEV.changed("bucketOwnershipControls", rule={"objectOwnership": "ObjectWriter"}),
        ("bucket",),
    ),
    Case(
        "s3-versioned",
        "suspended",
        DEV.changed("bucketVersioning", versioningConfiguration={"status": "Suspended"}),
        ("bucket",),
    ),
    Case(
        "s3-access-logged",
        "not at all",
        DEV.with_(
            replace(
                DEV.resources["logging"],
                property_dependencies={"targetBucket": (DEV.resources["log-bucket"].urn,)},
            )
        ),
        ("bucket",),
    ),
    Case(
        "s3-lifecycle-bounded",
        "multipart uploads forgotten",
        DEV.changed(
            "bucketLifecycleConfiguration",
            rules=[{"status": "Enabled", "expiration": {"days": 30.0}}],
        ),
        ("bucket",),
        "multipart",
    ),
    Case(
        "s3-lifecycle-bounded",
        "rule switched off",
        DEV.changed(
            "log-bucketLifecycleConfiguration",
            rules=[
                {
                    "status": "Disabled",
                    "expiration": {"days": 30.0},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7.0},
                }
            ],
        ),
        ("log-bucket",),
    ),
    Case(
        "s3-no-public-grant",
        "public ACL",
        DEV.add("aws:s3/bucketAcl:BucketAcl", "acl", bucket=_BUCKET, acl="public-read"),
        ("acl",),
        "public-read",
    ),
    Case(
        "s3-no-public-grant",
        "everyone may read",
        DEV.changed(
            "bucketPolicy",
            policy=document(
                tls_only(_BUCKET),
                allow("s3:GetObject", f"arn:aws:s3:::{_BUCKET}/*", Principal={"AWS": "*"}),
            ),
        ),
        ("bucketPolicy",),
        "everyone may s3:GetObject",
    ),
    Case(
        "s3-one-notification",
        "a second one",
        DEV.add("aws:s3/bucketNotification:BucketNotification", "second", bucket=_BUCKET),
        ("second",),
    ),
)

ENCRYPTION = (
    Case(
        "s3-encrypted-with-own-key",
        "SSE-S3 only",
        DEV.changed(
            "bucketServerSideEncryptionConfiguration",
            rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        ),
        ("bucket",),
        "not aws:kms",
    ),
    Case(
        "s3-encrypted-with-own-key",
        "AWS's own key",
        DEV.changed(
            "bucketServerSideEncryptionConfiguration",
            rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}],
        ),
        ("bucket",),
        "names no key",
    ),
    Case(
        "s3-encrypted-with-own-key",
        "a target of access logs with KMS",
        DEV.changed(
            "log-bucketServerSideEncryptionConfiguration",
            rules=[
                {
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "arn:aws:kms:key",
                    }
                }
            ],
        ),
        ("log-bucket",),
        "not AES256",
    ),
    Case("kms-key-rotates", "off", DEV.changed("key", enableKeyRotation=False), ("key",)),
    Case(
        "messages-encrypted",
        "AWS's own key",
        DEV.changed("topic", kmsMasterKeyId="alias/aws/sns"),
        ("topic",),
    ),
    Case(
        "secrets-encrypted-with-own-key", "none", DEV.changed("secret", kmsKeyId=None), ("secret",)
    ),
    Case(
        "audit-trail-tamper-evident",
        "not validated",
        DEV.changed("trail", enableLogFileValidation=False),
        ("trail",),
        "not validated",
    ),
    Case(
        "audit-trail-tamper-evident",
        "switched off",
        DEV.changed("trail", enableLogging=False),
        ("trail",),
        "switched off",
    ),
)

IAM = (
    Case(
        "iam-no-wildcard-action",
        "a service's every action",
        DEV.changed("reads", policy=document(allow(["s3:*"], "arn:aws:s3:::b"))),
        ("reads",),
        "allows s3:*",
    ),
    Case(
        "iam-no-wildcard-action",
        "everything but",
        DEV.changed(
            "reads",
            policy=document(
                {"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "arn:aws:s3:::b"}
            ),
        ),
        ("reads",),
        "everything but iam:PassRole",
    ),
    Case(
        "iam-no-wildcard-resource",
        "every resource",
        DEV.changed("reads", policy=document(allow("s3:GetObject", "*"))),
        ("reads",),
    ),
    *(
        Case(
            "iam-no-wildcard-resource",
            f"every resource of a kind: {resource}",
            DEV.changed("reads", policy=document(allow(action, resource))),
            ("reads",),
        )
        for action, resource in (
            ("s3:GetObject", "arn:aws:s3:::*"),
            ("s3:GetObject", "arn:aws:s3:::*/*"),
            ("sns:Publish", "arn:aws:sns:sa-east-1:111111111111:*"),
            ("iam:PassRole", "arn:aws:iam::111111111111:role/*"),
            ("kms:Decrypt", "arn:aws:kms:sa-east-1:111111111111:key/*"),
        )
    ),
    Case(
        "iam-trust-narrow",
        "no external id",
        DEV.changed(
            "reader", assumeRolePolicy=_trust(Principal={"AWS": "arn:aws:iam::999999999999:user/x"})
        ),
        ("reader",),
        "without an external id",
    ),
    Case(
        "iam-trust-narrow",
        "everyone",
        DEV.changed(
            "reader",
            assumeRolePolicy=_trust(
                Principal="*", Condition={"StringEquals": {"sts:ExternalId": "olist"}}
            ),
        ),
        ("reader",),
        "everyone may assume",
    ),
    Case(
        "iam-trust-narrow",
        "every branch of every repository",
        DEV.changed(
            "github",
            assumeRolePolicy=_trust(
                **_FEDERATED,
                Condition={
                    "StringEquals": {"token.actions.githubusercontent.com:aud": "sts"},
                    "StringLike": {"token.actions.githubusercontent.com:sub": "repo:olist/*"},
                },
            ),
        ),
        ("github",),
        "repo:olist/*",
    ),
    Case(
        "iam-trust-narrow",
        "subject not checked",
        DEV.changed(
            "github",
            assumeRolePolicy=_trust(
                **_FEDERATED,
                Condition={"StringEquals": {"token.actions.githubusercontent.com:aud": "sts"}},
            ),
        ),
        ("github",),
        "`sub` is not checked",
    ),
    Case(
        "iam-no-long-lived-keys",
        "a user's key",
        DEV.add("aws:iam/accessKey:AccessKey", "access-key", user="deployer"),
        ("access-key",),
    ),
    Case(
        "iam-no-admin-policy",
        "attached",
        DEV.add(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "admin",
            role="reader",
            policyArn="arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        ("admin",),
        "AdministratorAccess",
    ),
)

TAGS_AND_NAMES = (
    Case(
        "snowflake-name-explicit",
        "lower case",
        DEV.changed("rule", name="services"),
        ("rule",),
        "services",
    ),
    Case("snowflake-name-explicit", "none", DEV.changed("rule", name=None), ("rule",), "no name"),
    Case(
        "snowflake-name-explicit",
        "a column",
        DEV.changed("customers", columns=[{"name": "customer_id", "type": "VARCHAR"}]),
        ("customers",),
        "customer_id",
    ),
    Case(
        "account-object-named-after-environment",
        "a network policy of both environments",
        DEV.changed("network", name="SERVICES").changed("user", networkPolicy="SERVICES"),
        ("network",),
        "OLIST_DEV",
    ),
    Case(
        "bucket-named-after-environment",
        "no account",
        DEV.changed("bucket", bucket="olist-dev-landing"),
        ("bucket",),
    ),
    Case("aws-tagged", "none", DEV.changed("topic", tags=None), ("topic",), "project"),
    Case(
        "aws-tagged",
        "the other environment's",
        DEV.changed("key", tags={"project": "o", "owner": "o", "environment": "prod"}),
        ("key",),
        "prod",
    ),
    Case(
        "component-type-well-formed",
        "two parts",
        DEV.add("olist:Landing", "landing-zone"),
        ("landing-zone",),
    ),
    Case(
        "component-type-well-formed",
        "snake case",
        DEV.add("olist:aws:LandingZone", "landing_zone"),
        ("landing_zone",),
    ),
)

SNOWFLAKE_COST = (
    Case(
        "warehouse-auto-suspends",
        "never",
        DEV.changed("warehouse", autoSuspend=0.0),
        ("warehouse",),
        "never suspends",
    ),
    Case(
        "warehouse-auto-suspends",
        "after an hour",
        DEV.changed("warehouse", autoSuspend=3600.0),
        ("warehouse",),
        "3600 seconds",
    ),
    Case(
        "warehouse-auto-resumes",
        "off",
        DEV.changed("warehouse", autoResume="false"),
        ("warehouse",),
    ),
    Case(
        "warehouse-statements-time-out",
        "not set",
        DEV.changed("warehouse", statementTimeoutInSeconds=None),
        ("warehouse",),
    ),
    Case(
        "warehouse-monitored",
        "none",
        DEV.changed("warehouse", resourceMonitor=None),
        ("warehouse",),
        "no resource monitor is attached",
    ),
    Case(
        "warehouse-monitored",
        "another stack's",
        DEV.changed("warehouse", resourceMonitor="OTHER"),
        ("warehouse",),
        "no resource monitor OTHER",
    ),
    Case(
        "monitor-warns-and-stops",
        "only warns",
        DEV.changed("monitor", suspendTrigger=None, suspendImmediateTrigger=None),
        ("monitor",),
        "does not suspend",
    ),
    Case(
        "monitor-warns-and-stops",
        "warns late",
        DEV.changed("monitor", notifyTriggers=[90.0]),
        ("monitor",),
        "notifies at 90",
    ),
)

BUDGET = (
    Case(
        "quotas-within-budget",
        "a quota of a thousand credits",
        DEV.changed("monitor", creditQuota=1000.0),
        ("monitor",),
        "5,000.00 USD, the budget is 300.00",
    ),
    Case(
        "quotas-within-budget",
        "a modest quota every day",
        DEV.changed("monitor", frequency="DAILY"),
        ("monitor",),
    ),
    Case("aws-budget-warns", "none", DEV.without("budget"), ("",), "no AWS budget"),
    Case(
        "aws-budget-warns",
        "nobody listens",
        DEV.changed(
            "budget",
            notifications=[
                {"notificationType": "FORECASTED", "subscriberSnsTopicArns": []},
                {"notificationType": "ACTUAL", "subscriberEmailAddresses": ["a@olist.example"]},
            ],
        ),
        ("budget",),
        "nobody is told of the forecast",
    ),
    Case(
        "aws-budget-warns",
        "more than the environment allows",
        DEV.changed("budget", limitAmount="101"),
        ("budget",),
        "101 USD",
    ),
)

SNOWFLAKE_ROLES = (
    Case(
        "no-grant-to-public",
        "in SQL without the word role",
        DEV.add(
            "snowflake:index/execute:Execute",
            "sql",
            execute='grant usage on schema "X"."Y" to public',
            revert="select 1",
        ),
        ("sql",),
    ),
    Case(
        "no-grant-to-public",
        "in SQL",
        DEV.add(
            "snowflake:index/execute:Execute",
            "sql",
            execute="GRANT USAGE ON DATABASE X TO ROLE public",
            revert="select 1",
        ),
        ("sql",),
    ),
    Case(
        "no-system-role-granted",
        "to a service",
        DEV.changed("user-role", roleName="ACCOUNTADMIN"),
        ("user-role",),
        "ACCOUNTADMIN",
        also="role-in-access-model",
    ),
    Case(
        "no-system-role-granted",
        "as a default",
        DEV.changed("user", defaultRole="SECURITYADMIN"),
        ("user",),
        "SECURITYADMIN",
    ),
    Case(
        "no-system-role-granted",
        "in SQL",
        DEV.add(
            "snowflake:index/execute:Execute",
            "sql",
            execute='grant role accountadmin to user "SVC"',
            revert="select 1",
        ),
        ("sql",),
        "accountadmin",
    ),
    Case(
        "grant-names-its-privileges",
        "all of them",
        DEV.changed("usage", privileges=None, allPrivileges=True),
        ("usage",),
        "all privileges",
    ),
    Case(
        "grant-names-its-privileges",
        "and may grant on",
        DEV.changed("usage", withGrantOption=True),
        ("usage",),
        "grant it on",
    ),
    Case(
        "roles-roll-up",
        "alone, with the access role it holds",
        DEV.without("roll-up"),
        ("role", "access-role"),
        "does not reach SYSADMIN",
    ),
    Case(
        "roles-roll-up",
        "a database role under nothing",
        DEV.add(
            "snowflake:index/databaseRole:DatabaseRole", "reads-raw", database="OLIST_DEV", name="R"
        ),
        ("reads-raw",),
        "OLIST_DEV.R",
    ),
    Case(
        "schema-access-managed",
        "owners grant",
        DEV.changed("schema", withManagedAccess="false"),
        ("schema",),
    ),
)

ACCESS_MODEL = (
    Case(
        "privilege-in-access-model",
        "one more privilege",
        DEV.changed("usage", privileges=["INSERT", "SELECT", "TRUNCATE"]),
        ("usage",),
        "OLIST_DEV.AR__RAW__LOAD gets TRUNCATE on TABLE RAW",
    ),
    Case(
        "privilege-in-access-model",
        "another schema",
        DEV.changed(
            "usage",
            onSchemaObject={
                "all": {"objectTypePlural": "TABLES", "inSchema": '"OLIST_DEV"."MARTS"'}
            },
        ),
        ("usage",),
        "INSERT, SELECT on TABLE MARTS",
    ),
    Case(
        "privilege-in-access-model",
        "every schema",
        DEV.changed(
            "usage",
            onSchemaObject={"future": {"objectTypePlural": "TABLES", "inDatabase": "OLIST_DEV"}},
        ),
        ("usage",),
        "of the whole database",
    ),
    Case(
        "privilege-in-access-model",
        "ownership",
        DEV.add(
            "snowflake:index/grantOwnership:GrantOwnership",
            "owner",
            accountRoleName="FR__OLIST_DEV__REPORTER",
            on={"objectType": "TABLE", "objectName": '"OLIST_DEV"."RAW"."CUSTOMERS"'},
        ),
        ("owner",),
        "FR__OLIST_DEV__REPORTER gets OWNERSHIP",
    ),
    Case(
        "privilege-in-access-model",
        "to another account",
        DEV.add(
            "snowflake:index/grantPrivilegesToShare:GrantPrivilegesToShare",
            "share",
            toShare="OLIST_DEV_PARTNER",
            onTable='"OLIST_DEV"."RAW"."CUSTOMERS"',
            privileges=["SELECT"],
        ),
        ("share",),
        "the share OLIST_DEV_PARTNER",
    ),
    Case(
        "privilege-in-access-model",
        "in SQL",
        DEV.add(
            "snowflake:index/execute:Execute",
            "sql",
            execute="grant select on all tables in schema OLIST_DEV.RAW\n"
            "to role FR__OLIST_DEV__REPORTER",
            revert="select 1",
        ),
        ("sql",),
        "FR__OLIST_DEV__REPORTER gets select on all tables in schema OLIST_DEV.RAW by SQL",
    ),
    Case(
        "role-in-access-model",
        "in SQL",
        DEV.add(
            "snowflake:index/execute:Execute",
            "sql",
            execute="grant database role OLIST_DEV.AR__RAW__READ to role FR__OLIST_DEV__REPORTER",
            revert="select 1",
        ),
        ("sql",),
        "FR__OLIST_DEV__REPORTER gets OLIST_DEV.AR__RAW__READ by SQL",
    ),
    Case(
        "role-in-access-model",
        "readers may load",
        DEV.changed("access-role-held", parentRoleName="FR__OLIST_DEV__REPORTER").with_(
            resource(
                "snowflake:index/grantAccountRole:GrantAccountRole",
                "reporter",
                {"roleName": "FR__OLIST_DEV__REPORTER", "parentRoleName": "SYSADMIN"},
            )
        ),
        ("access-role-held",),
        "FR__OLIST_DEV__REPORTER gets OLIST_DEV.AR__RAW__LOAD",
    ),
    Case(
        "role-in-access-model",
        "another user",
        DEV.changed("user-role", userName="SVC__OLIST_DEV__REPORTER"),
        ("user-role",),
    ),
)

SNOWFLAKE_USERS = (
    Case("service-user-has-key-pair", "none", DEV.changed("user", rsaPublicKey=None), ("user",)),
    Case(
        "service-user-has-key-pair",
        "PEM",
        DEV.changed("user", rsaPublicKey="-----BEGIN PUBLIC KEY-----\nMIIB\n-----END"),
        ("user",),
        "PEM header",
    ),
    Case(
        "no-password-user",
        "legacy",
        DEV.add("snowflake:index/legacyServiceUser:LegacyServiceUser", "bi", name="OLIST_DEV_BI"),
        ("bi",),
    ),
    Case(
        "service-user-authenticates-strongly",
        "no policy",
        DEV.without("attachment"),
        ("user",),
        "no authentication policy",
    ),
    Case(
        "service-user-authenticates-strongly",
        "passwords",
        DEV.changed("authentication", authenticationMethods=["KEYPAIR", "PASSWORD"]),
        ("user",),
        "PASSWORD",
    ),
    Case(
        "service-user-behind-network-policy",
        "none",
        DEV.changed("user", networkPolicy=None),
        ("user",),
    ),
    Case(
        "network-not-open",
        "the internet",
        DEV.changed("network", allowedIpLists=["0.0.0.0/0"]),
        ("network",),
        "0.0.0.0/0",
    ),
    Case(
        "network-from-environment",
        "a friend's",
        DEV.changed("rule", valueLists=["192.0.2.0/24", "203.0.113.0/24"]),
        ("rule",),
        "203.0.113.0/24",
    ),
)

PERSONAL_DATA = (
    Case(
        "pii-column-masked",
        "tag without policy",
        DEV.changed("tag", maskingPolicies=[]),
        ("customers",),
    ),
    Case("pii-column-masked", "policy gone", DEV.without("mask"), ("customers",)),
    Case(
        "pii-column-masked",
        "one column forgotten",
        DEV.changed(
            "masked",
            objectIdentifiers=DEV.resources["masked"].inputs["objectIdentifiers"][:2],
        ),
        ("customers",),
        "CUSTOMER_CITY is not masked",
    ),
    Case(
        "mask-reveals-to-one-role",
        "to everyone",
        DEV.changed("mask", body="val"),
        ("mask",),
        "everyone",
    ),
    Case(
        "mask-reveals-to-one-role",
        "to two",
        DEV.changed(
            "mask",
            body="case when is_role_in_session('A') or is_role_in_session('B') then val "
            "else null end",
        ),
        ("mask",),
        "A, B",
    ),
    Case(
        "mask-reveals-to-one-role",
        "upside down",
        DEV.changed(
            "mask",
            body="case when is_role_in_session('AR__OLIST_DEV__PII__UNMASKED') then null "
            "else val end",
        ),
        ("mask",),
        "every other role",
    ),
)

PII_TAG = (
    Case(
        "mask-reveals-to-one-role",
        "a second way",
        DEV.changed(
            "mask",
            body="case when is_role_in_session('AR__OLIST_DEV__PII__UNMASKED') then val "
            "when current_user() = 'BOB' then val else null end",
        ),
        ("mask",),
        "in 2 branches",
    ),
    Case("pii-tag-propagates", "stays behind", DEV.changed("tag", propagate="NONE"), ("tag",)),
    Case(
        "pii-tag-propagates",
        "conflicts",
        DEV.changed("tag", onConflict=None),
        ("tag",),
        "conflict",
    ),
)

PREVIEW_FEATURES = (
    Case(
        "snowflake-preview-feature-enabled",
        "a flag forgotten",
        DEV.changed("account", previewFeaturesEnabled='["snowflake_pipe_resource"]'),
        ("customers",),
        "snowflake_table_resource is missing",
    ),
    Case(
        "snowflake-preview-feature-enabled",
        "the default provider",
        DEV.with_(replace(DEV.resources["customers"], provider="")),
        ("customers",),
        "no explicit provider",
    ),
)

PROTECTION = (
    Case(
        "prod-stateful-protected",
        "a table",
        PROD.with_(replace(PROD.resources["customers"], protect=False)),
        ("customers",),
    ),
    Case(
        "prod-bucket-not-emptied",
        "force_destroy",
        PROD.changed("bucket", forceDestroy=True),
        ("bucket",),
    ),
    Case(
        "prod-time-travel",
        "a day",
        PROD.changed("database", dataRetentionTimeInDays=1.0),
        ("database",),
        "1 days",
    ),
    Case(
        "prod-time-travel",
        "a table without any",
        PROD.changed("customers", dataRetentionTimeInDays=0.0),
        ("customers",),
        "0 days",
    ),
    Case(
        "prod-key-recoverable",
        "a week",
        PROD.changed("key", deletionWindowInDays=7.0),
        ("key",),
        "7 days",
    ),
)

CASES = (
    *S3,
    *ENCRYPTION,
    *IAM,
    *TAGS_AND_NAMES,
    *SNOWFLAKE_COST,
    *BUDGET,
    *SNOWFLAKE_ROLES,
    *ACCESS_MODEL,
    *SNOWFLAKE_USERS,
    *PERSONAL_DATA,
    *PII_TAG,
    *PREVIEW_FEATURES,
    *PROTECTION,
)
