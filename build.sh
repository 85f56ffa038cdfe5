#!/bin/sh
# ./build.sh demo | test | pack | format | setup [arguments for the program that is run]
set -eu
cd "$(dirname "$0")"

. eng/env.sh

# Holds when the last set-up saw these very pins, and this machine's package folder still has them all.
is_set_up() {
    cat paket.lock .config/dotnet-tools.json | cmp -s - artifacts/setup.stamp || return 1
    tr '[:upper:]' '[:lower:]' <paket.lock | sed -nE 's|^    ([^ ]+) \(([^)]+)\).*|\1/\2|p' | (
        while read -r pin; do
            [ -e "$NUGET_PACKAGES/$pin" ] || exit 1
        done
    )
}

setup() {
    is_set_up && return
    dotnet tool restore
    dotnet restore eng/feed.proj
    dotnet paket restore
    mkdir -p artifacts
    cat paket.lock .config/dotnet-tools.json >artifacts/setup.stamp
}

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
setup) setup ;;
demo)
    setup
    dotnet run -c Release --project Samples/Quickstart -- "$@"
    ;;
test)
    setup
    dotnet build -c Release --nologo -v quiet FlashGen.sln
    dotnet run -c Release --no-build --project Tests -- "$@"
    ;;
pack)
    setup
    dotnet pack -c Release FlashGen.sln "$@"
    ;;
format)
    setup
    dotnet csharpier check .
    dotnet fantomas --check .
    ;;
*)
    echo "usage: ./build.sh demo | test | pack | format | setup" >&2
    exit 2
    ;;
esac
