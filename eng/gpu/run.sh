#!/bin/sh
# run.sh test | bench | tune | sanitize, on a machine with an NVIDIA GPU: it needs the driver, not .NET. Beside it lies flashgen-gpu.tar.xz.
#
#   test      every variant against the naive reference on the first device, then float32 torch where python3 has it
#   bench     FlashGen beside torch's FlashAttention-2, cuDNN and FlexAttention, in turns; gpu.json and gpu.svg (needs torch)
#   tune      measures plans for the gallery's variants into flashgen.plans; takes what `flashgen tune` does: --target sm90, --time 500
#   sanitize  compute-sanitizer over small shapes of every kernel (needs the CUDA toolkit); takes what `flashgen verify` does: Causal
set -eu
here=$(cd "$(dirname "$0")" && pwd)
app="${TMPDIR:-/tmp}/flashgen-gpu-$(cksum <"$here/flashgen-gpu.tar.xz" | cut -d' ' -f1)"
if [ ! -d "$app" ]; then
    mkdir -p "$app.partial"
    tar -C "$app.partial" -xJf "$here/flashgen-gpu.tar.xz"
    mv "$app.partial" "$app"
fi
out="${OUT:-$here}"
has_torch() { command -v python3 >/dev/null && python3 -c 'import torch' 2>/dev/null; }

command="${1:-}"
[ $# -eq 0 ] || shift
case "$command" in
test)
    "$app/Tests" --filter-test-list Cuda "$@"
    if has_torch; then
        python3 "$app/peers.py" check "$app/flashgen-tool"
    else
        echo "python3 has no torch: not compared with it"
    fi
    ;;
bench)
    has_torch || { echo "bench needs python3 with torch" >&2; exit 1; }
    if command -v ptxas >/dev/null; then
        "$app/flashgen-gpu-bench" ptx "$app/ptx"
        python3 "$app/peers.py" registers "$app/ptx" "$out"
    else
        echo "no ptxas: registers and spills are not reported"
    fi
    python3 "$app/peers.py" bench "$app/flashgen-gpu-bench" "$out" "$@"
    ;;
tune)
    # What was measured before goes on, and what other devices have is kept.
    "$app/flashgen-tool" tune "$app/FlashGen.Kernels.dll" --device cuda --plans "$out/flashgen.plans" "$@"
    ;;
sanitize)
    command -v compute-sanitizer >/dev/null || { echo "sanitize needs compute-sanitizer of the CUDA toolkit" >&2; exit 1; }
    # A tool over the kernels of some targets, into a log of its own; one line of what it found.
    check() {
        tool="$1" targets="$2" clean=yes
        shift 2
        for target in $targets; do
            compute-sanitizer --tool "$tool" --error-exitcode 1 \
                "$app/flashgen-tool" verify --device cuda --target "$target" "$@" || clean=no
        done >"$out/$tool.log" 2>&1
        errors=$(sed -nE 's/.*(ERROR|RACECHECK) SUMMARY: ([0-9]+) .*/\2/p' "$out/$tool.log" | awk '{ n += $1 } END { print n + 0 }')
        kernels=$(sed -nE 's/^([0-9]+) of [0-9]+ kernels within tolerance.*/\1/p' "$out/$tool.log" | awk '{ n += $1 } END { print n + 0 }')
        echo "$tool: $errors errors, $kernels kernels of $targets within tolerance, $out/$tool.log"
        [ "$clean" = yes ] && [ "$errors" -eq 0 ] && [ "$kernels" -gt 0 ]
    }
    # Side by side: a tool keeps one processor core busy. Hopper's barriers are not what racecheck knows.
    running=""
    for tool in memcheck synccheck initcheck; do
        check "$tool" "sm90 sm80 portable" "$@" &
        running="$running $!"
    done
    check racecheck "sm80 portable" "$@" &
    running="$running $!"
    code=0
    for process in $running; do
        wait "$process" || code=1
    done
    exit "$code"
    ;;
*)
    echo "usage: run.sh test | bench | tune | sanitize" >&2
    exit 1
    ;;
esac
