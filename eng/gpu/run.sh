#!/bin/sh
# run.sh test | bench | tune | sanitize, on a machine with an NVIDIA GPU: it needs the driver, not .NET. Beside it lies flashgen-gpu.tar.xz.
#
#   test      every variant against the naive reference on the first device, then float32 torch where python3 has it
#   bench     FlashGen beside torch's FlashAttention-2, cuDNN and FlexAttention, in turns; gpu.json and gpu.svg (needs torch)
#   tune      measures plans for the gallery's variants into flashgen.plans; takes what `flashgen tune` does: --target sm90, --time 500
#   sanitize  compute-sanitizer over small shapes of every kernel (needs the CUDA toolkit)
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
    for tool in memcheck synccheck initcheck; do
        echo "$tool"
        compute-sanitizer --tool "$tool" --error-exitcode 1 "$app/flashgen-tool" verify --device cuda "$@"
    done
    ;;
*)
    echo "usage: run.sh test | bench | tune | sanitize" >&2
    exit 1
    ;;
esac
