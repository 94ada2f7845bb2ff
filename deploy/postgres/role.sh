#!/usr/bin/env bash
# Run by the image when its volume is empty: a role that is no superuser, and its database.
# The password is read from a file: it is in no environment and in no process list.
set -euo pipefail
psql --quiet --set ON_ERROR_STOP=1 --set role="$ROLE" --username "${POSTGRES_USER:-postgres}" <<'SQL'
\set password `cat "$ROLE_PASSWORD_FILE"`
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role";
REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
SQL
