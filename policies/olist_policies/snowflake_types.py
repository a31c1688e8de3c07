"""Type tokens of the Snowflake provider that rules look at."""

ACCOUNT_ROLE = "snowflake:index/accountRole:AccountRole"
AUTHENTICATION_POLICY = "snowflake:index/authenticationPolicy:AuthenticationPolicy"
DATABASE = "snowflake:index/database:Database"
DATABASE_ROLE = "snowflake:index/databaseRole:DatabaseRole"
EXECUTE = "snowflake:index/execute:Execute"
GRANT_ACCOUNT_ROLE = "snowflake:index/grantAccountRole:GrantAccountRole"
GRANT_DATABASE_ROLE = "snowflake:index/grantDatabaseRole:GrantDatabaseRole"
GRANT_OWNERSHIP = "snowflake:index/grantOwnership:GrantOwnership"
GRANT_TO_SHARE = "snowflake:index/grantPrivilegesToShare:GrantPrivilegesToShare"
GRANT_TO_ACCOUNT_ROLE = "snowflake:index/grantPrivilegesToAccountRole:GrantPrivilegesToAccountRole"
GRANT_TO_DATABASE_ROLE = (
    "snowflake:index/grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole"
)
MASKING_POLICY = "snowflake:index/maskingPolicy:MaskingPolicy"
NETWORK_POLICY = "snowflake:index/networkPolicy:NetworkPolicy"
NETWORK_RULE = "snowflake:index/networkRule:NetworkRule"
RESOURCE_MONITOR = "snowflake:index/resourceMonitor:ResourceMonitor"
SCHEMA = "snowflake:index/schema:Schema"
SERVICE_USER = "snowflake:index/serviceUser:ServiceUser"
TABLE = "snowflake:index/table:Table"
TAG = "snowflake:index/tag:Tag"
TAG_ASSOCIATION = "snowflake:index/tagAssociation:TagAssociation"
USER_AUTHENTICATION_POLICY = (
    "snowflake:index/userAuthenticationPolicyAttachment:UserAuthenticationPolicyAttachment"
)
WAREHOUSE = "snowflake:index/warehouse:Warehouse"
