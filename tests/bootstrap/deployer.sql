-- The deployer of dev, written by `olist bootstrap`.
-- Run as ACCOUNTADMIN in the account OLIST-ANALYTICS_DEV; running it again does no harm.
use role ACCOUNTADMIN;
create warehouse if not exists OLIST_DEV_DEPLOY_WH warehouse_size = XSMALL auto_suspend = 60 auto_resume = true initially_suspended = true comment = 'Deploys the Olist platform';
alter warehouse OLIST_DEV_DEPLOY_WH set statement_timeout_in_seconds = 600;
create role if not exists FR__OLIST_DEV__DEPLOYER comment = 'Deploys the Olist platform';
grant role FR__OLIST_DEV__DEPLOYER to role ACCOUNTADMIN;
grant usage on warehouse OLIST_DEV_DEPLOY_WH to role FR__OLIST_DEV__DEPLOYER;
grant APPLY AUTHENTICATION POLICY on account to role FR__OLIST_DEV__DEPLOYER;
grant APPLY MASKING POLICY on account to role FR__OLIST_DEV__DEPLOYER;
grant APPLY ROW ACCESS POLICY on account to role FR__OLIST_DEV__DEPLOYER;
grant APPLY TAG on account to role FR__OLIST_DEV__DEPLOYER;
grant CREATE DATABASE on account to role FR__OLIST_DEV__DEPLOYER;
grant CREATE INTEGRATION on account to role FR__OLIST_DEV__DEPLOYER;
grant CREATE NETWORK POLICY on account to role FR__OLIST_DEV__DEPLOYER;
grant CREATE ROLE on account to role FR__OLIST_DEV__DEPLOYER;
grant CREATE USER on account to role FR__OLIST_DEV__DEPLOYER;
grant MANAGE GRANTS on account to role FR__OLIST_DEV__DEPLOYER;
create network policy if not exists OLIST_DEV_DEPLOYER allowed_ip_list = ('192.0.2.0/24', '198.51.100.0/24');
alter network policy OLIST_DEV_DEPLOYER set allowed_ip_list = ('192.0.2.0/24', '198.51.100.0/24');
create user if not exists SVC__OLIST_DEV__DEPLOYER type = service comment = 'Deploys the Olist platform';
alter user SVC__OLIST_DEV__DEPLOYER set type = service default_role = 'FR__OLIST_DEV__DEPLOYER' default_warehouse = 'OLIST_DEV_DEPLOY_WH' default_secondary_roles = () network_policy = OLIST_DEV_DEPLOYER rsa_public_key = 'AAA';
alter user SVC__OLIST_DEV__DEPLOYER unset rsa_public_key_2;
grant role FR__OLIST_DEV__DEPLOYER to user SVC__OLIST_DEV__DEPLOYER;
grant role ACCOUNTADMIN to user SVC__OLIST_DEV__DEPLOYER;
