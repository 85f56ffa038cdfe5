#!/bin/sh
# ./build.sh demo | test | bench cpu | bench micro | gpu-bundle | pack | format | setup [arguments for the program that is run]
set -eu
cd "$(dirname "$0")"

. eng/env.sh

# Holds when the last set-up of this folder saw these very pins, and this machine's package folder still has them all.
is_set_up() {
    cat "$1/paket.lock" .config/dotnet-tools.json | cmp -s - "$2" || return 1
    tr '[:upper:]' '[:lower:]' <"$1/paket.lock" | sed -nE 's|^    ([^ ]+) \(([^)]+)\).*|\1/\2|p' | (
        while read -r pin; do
            [ -e "$NUGET_PACKAGES/$pin" ] || exit 1
        done
    )
}

# Fetches what the paket.lock of a folder pins: the solution's by default.
setup() {
    folder="${1:-.}"
    stamp="artifacts/setup${1:+-$1}.stamp"
    is_set_up "$folder" "$stamp" && return
    dotnet tool restore
    dotnet restore eng/feed.proj -p:Lock="$folder/paket.lock"
    (cd "$folder" && dotnet paket restore)
    mkdir -p artifacts
    cat "$folder/paket.lock" .config/dotnet-tools.json >"$stamp"
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
bench)
    setup
    setup Bench
    dotnet run -c Release --project Bench -- "$@"
    ;;
gpu-bundle)
    # Tests, tool and bench with .NET in one folder, for a machine with an NVIDIA GPU and no .NET.
    setup
    folder=artifacts/gpu/flashgen-gpu
    rm -rf "$folder"
    for project in Tool Tests; do
        dotnet publish -c Release -r linux-x64 --self-contained --nologo -v quiet -o "$folder" "$project"
    done
    # ILGPU and the kernels compiled ahead, for the others too: a first call then takes half the time until the driver has it.
    dotnet publish -c Release -r linux-x64 --self-contained --nologo -v quiet -p:PublishReadyToRun=true -o "$folder" Bench/Gpu
    # What only a compiler of F# and C# says in other languages.
    find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name runtimes -exec rm -rf {} +
    cp eng/gpu/peers.py "$folder/"
    tar -C "$folder" -cf - . | xz -T0 -6 >artifacts/gpu/flashgen-gpu.tar.xz
    cp eng/gpu/run.sh artifacts/gpu/
    rm -rf "$folder"
    ls -l artifacts/gpu
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
    echo "usage: ./build.sh demo | test | bench cpu | bench micro | gpu-bundle | pack | format | setup" >&2
    exit 2
    ;;
esac
