#!/bin/sh
# Roles of both sides. Runs once, when the server's volume is empty.
#   shop_owner   owns the schema, cannot log in
#   shop_app     the application
#   migrator     Debezium and CdcMigrator: no superuser
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v migrator="$MIGRATOR_PASSWORD" -v app="$SHOP_APP_PASSWORD" <<'SQL'
create role shop_owner nologin;
create role shop_app login password :'app';
create role migrator login replication password :'migrator' in role shop_owner;
-- The publication and the control schema.
grant connect, create on database shop to migrator;
-- Applying without firing the target's triggers and foreign keys a second time (PostgreSQL 15 and newer).
grant set on parameter session_replication_role to migrator;
grant create, usage on schema public to shop_owner;
grant usage on schema public to shop_app;
SQL
