#!/usr/bin/env bash
# Makes the passwords of docker-compose.yml, each once; those that exist are left as they are.
# The files are readable by all within a folder that is not: containers run as other users.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p secrets && chmod 700 secrets
umask 022
password() {
    test -s "secrets/$1" || head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"secrets/$1"
}
password postgres_password
for name in attendance discipline notifications keyring; do
    password "${name}_password"
    printf 'postgresql://%s:%s@%s-db:5432/%s' \
        "$name" "$(cat "secrets/${name}_password")" "$name" "$name" >"secrets/${name}_url"
done
