#!/usr/bin/env bash
# Makes the passwords of docker-compose.yml, each once; those that exist are left as they are.
# The files are readable by all within a folder that is not: containers run as other users.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p secrets && chmod 700 secrets
umask 022
random() { head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
password() { test -s "secrets/$1" || random >"secrets/$1"; }
for name in attendance discipline notifications keyring; do
    password "${name}_superuser"
    password "${name}_password"
    printf 'postgresql://%s:%s@%s-db:5432/%s' \
        "$name" "$(cat "secrets/${name}_password")" "$name" "$name" >"secrets/${name}_url"
done
test -s secrets/mail_login || printf 'tertib:%s' "$(random)" >secrets/mail_login
