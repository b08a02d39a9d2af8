#!/bin/sh
# Runs once, in an empty server: the two databases, their owners, and the roles that the warehouse knows.
# The owner migrates, the loader runs the nights, the publisher seals, the reader serves dashboards (sql/roles/roles.sql).
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv owner_password HALFYEAR_OWNER_PASSWORD
\getenv loader_password HALFYEAR_LOADER_PASSWORD
\getenv publisher_password HALFYEAR_PUBLISHER_PASSWORD
\getenv reader_password HALFYEAR_READER_PASSWORD
\getenv airflow_password AIRFLOW_DATABASE_PASSWORD
create role halfyear_owner login createrole password :'owner_password';
create role halfyear_loader login password :'loader_password';
create role halfyear_publisher login password :'publisher_password';
create role halfyear_reader login password :'reader_password';
grant halfyear_loader, halfyear_publisher, halfyear_reader to halfyear_owner;
create database halfyear owner halfyear_owner;
create role airflow login password :'airflow_password';
create database airflow owner airflow;
revoke connect on database airflow from public;
SQL
