#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that needs a GPU, in one command, the most valuable first: time on one is short. Device and wrappers; every
# integer kernel in a process of its own; roofs; ResNet50; int8 logits of GPU and CPU on real weights; profiler counters;
# baselines; more networks; all tests; compute-sanitizer; then what is left of networks, batches and precisions.
#   scripts/gpu_first.sh OUT [--root DIR] [--end SECONDS] [--device cuda|emu]
#   OUT            gets steps.txt, summary.md and results.tar.gz (JSON, logs), written anew after every step
#   --root DIR     unpacked bundle (scripts/make_gpu_bundle.sh; default: the folder above this script); in the source tree
#                  GPUEVAL_BUILD names the build folder (default build)
#   --end SECONDS  from the start: no step runs longer, what was not reached is named (default 540; everything: 3600)
#   --device emu   the same steps on the emulator with tiny sizes: shows that the script works, measures nothing
# Environment: GPUEVAL_BUILD; GPUEVAL_STEP_SECONDS, the most that any step may take; GPUEVAL_DATA, real weights and images
# (default: the bundle's own), with which int8 logits of GPU and CPU are compared.
# Exit code: 0 every step passed or was not reached; 1 a step failed; 2 usage; 5 no usable GPU.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd) out='' end=540 device=cuda
usage() { echo "gpu_first.sh: $1" >&2; exit 2; }
while [[ $# -gt 0 ]]; do
  case $1 in
    --root|--end|--device) [[ $# -gt 1 ]] || usage "$1 takes a value"; declare "${1#--}=$2"; shift 2 ;;
    -*) usage "unknown option '$1'" ;;
    *) [[ -z $out ]] || usage "one folder OUT, found '$out' and '$1'"; out=$1; shift ;;
  esac
done
[[ -n $out ]] || usage "expected a folder OUT for the results"
[[ $end =~ ^[0-9]+$ ]] || usage "--end takes seconds, found '$end'"
[[ $device == cuda || $device == emu ]] || usage "--device is cuda or emu, found '$device'"
[[ -d $root ]] || usage "$root: no such folder"
root=$(cd "$root" && pwd)
bin=$root/bin
[[ -x $bin/gpu_eval ]] || bin=${GPUEVAL_BUILD:-$root/build}
[[ -x $bin/gpu_eval ]] || usage "no gpu_eval in $bin (GPUEVAL_BUILD names the build folder)"
bin=$(cd "$bin" && pwd)
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir "$work/results" "$work/results/logs" "$work/code"
results=$work/results
data=${GPUEVAL_DATA:-$root/data} step_seconds=${GPUEVAL_STEP_SECONDS:-$end}
export GPUEVAL_TUNING_CACHE=$results/tuning.json GPUEVAL_BENCH_SHAPES=$root/bench/shapes CUDA_CACHE_PATH=$work/code
[[ ! -d $data ]] || export GPUEVAL_DATA=$data

# cuDNN and cuBLAS, wherever PyPI's packages or the toolkit put them.
python=$(command -v python3 || true)
sites() { [[ -n $python ]] && "$python" -c 'import site; print(*site.getsitepackages(), site.getusersitepackages(), sep="\n")'; }
libraries() {
  local base
  sites | while read -r base; do [[ -d $base/nvidia ]] && find "$base/nvidia" -maxdepth 3 -type d -name lib; done
  [[ -d /usr/local/cuda/lib64 ]] && echo /usr/local/cuda/lib64
}
loader_path=${LD_LIBRARY_PATH:-}  # as it was: PyTorch keeps the libraries that it ships with
found=$(libraries 2>/dev/null | sort -u | paste -sd:)
if [[ -n $found ]]; then
  export GPUEVAL_CUDA_LIBRARIES=${GPUEVAL_CUDA_LIBRARIES:+$GPUEVAL_CUDA_LIBRARIES:}$found
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$found
fi
tool() {  # of the toolkit, by name
  command -v "$1" || compgen -G "/usr/local/cuda*/bin/$1" || compgen -G "/opt/nvidia/nsight-compute/*/$1" || echo "$1"
}

# ---- steps: result, name, seconds, reason; then everything is packed, so that nothing is lost if the machine goes
failed=0
save() {
  printf '%s\n' "$1" | tee -a "$results/steps.txt"
  [[ -z $python || ! -f $root/scripts/gpu_summary.py ]] || "$python" "$root/scripts/gpu_summary.py" "$results" >/dev/null 2>&1
  cp "$results/steps.txt" "$out/" && { cp "$results/summary.md" "$out/" 2>/dev/null || true; }
  tar -C "$work" -cf - results | gzip -1 >"$out/.new" && mv "$out/.new" "$out/results.tar.gz"
}
step() {  # name, limit in seconds, command...
  local name=$1 limit=$2 begin=$SECONDS rc result=ok reason=
  shift 2
  (( SECONDS + 5 < end )) || { save "SKIP $name: the time was used up"; return 1; }
  (( limit < step_seconds )) || limit=$step_seconds
  (( limit < end - SECONDS )) || limit=$((end - SECONDS))
  timeout -k 5 "$limit" "$@" >"$results/logs/$name.log" 2>&1 </dev/null
  rc=$?
  if (( rc != 0 )); then
    failed=1 result="FAIL($rc)" reason=$(grep -v '^ *$' "$results/logs/$name.log" | tail -n 1 | cut -c -150)
    (( rc != 124 && rc != 137 )) || reason="stopped after $limit s: $reason"
  fi
  save "$result $name $((SECONDS - begin))s $reason"
  return "$rc"
}
skip() { save "SKIP $1: $2"; }
# A test program's step: a filter that matches no test is a failure, not a pass.
tests() {  # name, limit, program, filter
  step "$1" "$2" bash -c '"$1" --gtest_filter="$2" --gtest_output="json:$3" && ! grep -q "^  \"tests\": 0," "$3"' \
    - "$bin/$3" "$4" "$results/test_$1.json"
}
bench() {  # name, limit, options...
  step "$1" "$2" "$bin/gpu_bench" --device "$device" "${@:3}" --json "$results/kernels_$1.json" --markdown "$results/kernels_$1.md"
}
# Random weights: speed does not depend on their values. The pass alone, by the device's clock.
net() {  # network, batch, precision, options...
  local name=network_$1_batch$2_$3 model=(--model "${1%%_*}") option
  [[ $1 != *_* ]] || model+=(--alpha "${1##*_}")
  [[ $1 == demo ]] || model+=(--weights random)
  for option in "${@:4}"; do case $option in --no-*|--include-*|--overlap-*|--chunk) name+=_${option#--} ;;
    dp4a|mma|tma|wgmma_1|conv_first_pool|float32) name+=_$option ;; esac; done
  step "$name" 100 "$bin/gpu_eval" "${model[@]}" --device "$device" --mode speed --batch "$2" --precision "$3" \
    --duration "$seconds" "${@:4}" --json "$results/$name.json"
}
# int8 must give the same bits on every device.
logits() {  # name, options...
  local target
  for target in cpu "$device"; do
    step "logits_$1_$target" 60 "$bin/gpu_eval" "${@:2}" --precision int8 --scheme maxabs --mode accuracy --device "$target" \
      --save-logits "$work/logits_$1_$target.npy" || return
  done
  step "logits_$1_equal" 10 cmp "$work/logits_$1_cpu.npy" "$work/logits_$1_$device.npy"
}
torch() {  # name, limit, options...
  if [[ -z $python ]] || ! LD_LIBRARY_PATH=$loader_path "$python" -c 'import torch' 2>/dev/null; then
    skip "$1" "no python3 with torch"
  else
    step "$1" "$2" env LD_LIBRARY_PATH="$loader_path" "$python" "$root/bench/peers_gpu/torch_bench.py" "${@:3}" --json "$results/$1.json"
  fi
}
# Every row by itself: after an illegal address a process can do nothing more on the GPU.
row() {
  timeout -k 5 "$row_seconds" "$bin/test_cuda" --gtest_filter="*ConvRow.$2/${1}_$3:-*ListedShapes*" >"$results/logs/row_$3.log" 2>&1 </dev/null &&
    echo "ok row $3" || echo "FAIL($?) row $3"
}
rows() {  # kind of device in the tests' names, tests
  local names
  names=$("$bin/test_cuda" --gtest_list_tests --gtest_filter="*ConvRow.ZeroWeightsGiveBias/${1}_*" |
    sed -n "s/^ *ZeroWeightsGiveBias\/${1}_\([a-z0-9_]*\).*/\1/p")
  export -f row
  export bin results row_seconds=$((step_seconds < 45 ? step_seconds : 45))
  # shellcheck disable=SC2086  # one name a word
  printf '%s\n' $names | xargs -P 8 -I{} bash -c "row $1 '$2' {}" | sort >"$work/rows"
  [[ -s $work/rows ]] || echo "FAIL(1) rows: test_cuda lists none" >"$work/rows"
  ! grep -q FAIL "$work/rows" || failed=1
  save "$(cat "$work/rows")"
}
counters() {  # name, limit, kernels, how many, options of gpu_eval...
  step "$1" "$2" "$(tool ncu)" --clock-control none --cache-control none --section SpeedOfLight --section LaunchStats \
    --section Occupancy --section ComputeWorkloadAnalysis --section MemoryWorkloadAnalysis --section SchedulerStats \
    --section WarpStateStats --kernel-name "regex:$3" --launch-count "$4" --csv --page raw --log-file "$results/$1.csv" \
    "$bin/gpu_eval" --weights random --device cuda --mode speed --precision int8 --no-cuda-graph --warm-up 1 --iterations 1 \
    --duration 0.001 "${@:5}"
}
sanitizer() {  # tool, limit, program, filter
  step "$1" "$2" "$(tool compute-sanitizer)" --tool "$1" --error-exitcode 9 "$bin/$3" --gtest_filter="$4"
}

state() { "$bin/gpu_eval" list devices; nvidia-smi; nvidia-smi -q -d CLOCK,PERFORMANCE,POWER | head -n 90; "$(tool nvcc)" --version; true; }
export -f state tool

emulated() {
  seconds=0.01
  tests wrappers 120 test_cuda '*Prim*/emu'
  step selftest 60 "$bin/gpu_eval" selftest --device emu --kernels '^(add|quantize|conv_s8_dp4a_gemv)$' --json "$results/selftest_rows.json"
  rows emu ZeroWeightsGiveBias
  bench roofs_and_tiny 200 --cache both --compare naive,dp4a,mma
  net demo 1 int8 --per-layer --iterations 2
  net demo 2 int8 --overlap-launches --input-as float32 --iterations 2
  net demo 2 float32 --iterations 2
  logits demo --model demo --limit 20 --calibration-images 16
  torch torch_cpu 60 --device cpu --networks mobilenet_0.25 --batch 1 --precision float32 --warm-up 10 --duration 0.1 --iterations 2
}

measured() {
  local network batch model judged=$data/imagenet/val224_sample.pkl
  local networks=(resnet50 mobilenet_1.0 inceptionv3 vgg16 xception squeezenet mobilenet_0.75 mobilenet_0.5 mobilenet_0.25)
  seconds=0.5
  # 1. What it is; whether the wrappers do what PTX says; every row.
  tests wrappers 40 test_cuda '*Prim*/gpu*:*RuntimeTest*/gpu*'
  step selftest 60 "$bin/gpu_eval" selftest --json "$results/selftest_rows.json"
  rows gpu '*'
  # 2. The numbers that matter.
  step roofs 30 "$bin/gpu_bench" --device cuda --roofs --roof-time 0.3 --json "$results/roofs.json" --markdown "$results/roofs.md"
  for batch in 64 1 256; do net resnet50 "$batch" int8 --per-layer; done
  # What is not chosen by itself, beside the same without it: launches that overlap, chunks, floats as input.
  for batch in 1 256; do net resnet50 "$batch" int8 --overlap-launches; done
  net resnet50 256 int8 --chunk auto
  net resnet50 256 int8 --input-as float32
  if [[ -d $data/weights ]]; then
    logits mobilenet_0.25 --model mobilenet --alpha 0.25 --data "$judged" --batch 8
    logits squeezenet --model squeezenet --data "$judged" --batch 8
    for model in resnet50 inceptionv3 xception; do
      logits "$model" --model "$model" --weights random --data "$judged" --limit 64 --calibration-images 16 --batch 16
    done
  else
    skip logits "no real data ($data)"
  fi
  # 3. The baselines; every network.
  torch torch 60 --networks resnet50 --batch 1,64,256 --precision float16 --duration 0.3
  for batch in 64 1; do
    for network in "${networks[@]}"; do net "$network" "$batch" float16,int8; done
  done
  torch torch_all 150 --budget 140 --batch 1,64 --networks "$(IFS=,; echo "${networks[*]:1}")" --precision float16
  # 4. Why: the counters of one pass, and layers; the remaining tests; wrong accesses.
  counters counters_resnet50_batch64 75 'conv|depthwise|pool|quantize' 58 --model resnet50 --batch 64
  for network in xception mobilenet_1.0; do net "$network" 64 int8 --per-layer; done
  bench resnet50_batch64 90 --batch 64 --shapes '^resnet50/' --kernels 'mma|cudnn|cublas' --min-time 0.01 --roof-time 0.1 --compare 'mma,cudnn|cublas'
  bench dp4a_batch64 40 --batch 64 --shapes '^roofline/' --kernels 'dp4a' --min-time 0.01 --roof-time 0.1
  tests all 120 test_cuda '*/gpu*:LibraryOnGpu.*:-*ConvRow.*'
  sanitizer memcheck 90 test_cuda '*Prim*/gpu*:*ConvRow.IdentityWeights*/gpu*'
  # 5. With an hour: everything else.
  tests listed_shapes 200 test_cuda '*ConvRow.*ListedShapes*/gpu*'
  tests roofs_tests 60 test_bench '*/gpu*:LibraryOnGpu.*'
  sanitizer racecheck 140 test_cuda '*Prim*/gpu*:*ConvRow.IdentityWeights*/gpu*:*ConvRow.ZeroWeights*/gpu*'
  sanitizer synccheck 140 test_cuda '*Prim*/gpu*:*ConvRow.IdentityWeights*/gpu*:*ConvRow.ZeroWeights*/gpu*'
  for batch in 16 32; do net resnet50 "$batch" int8; done
  net resnet50 64 int8 --kernel dp4a
  for kernel in tma wgmma_1 conv_first_pool; do net resnet50 256 int8 --kernel "$kernel" --per-layer; done
  net resnet50 1 int8 --no-cuda-graph
  for batch in 1 64; do net resnet50 "$batch" int8 --include-data-transfers; done
  bench batch1 180 --batch 1 --shapes '^(roofline|resnet50|mobilenet_1.0)/' --min-time 0.02 --compare 'dp4a,mma,cudnn|cublas'
  bench roofline_batch64 150 --batch 64 --shapes '^roofline/' --cache both --min-time 0.02 --compare 'dp4a,mma,cudnn|cublas'
  for batch in 64 1; do
    for network in "${networks[@]}"; do net "$network" "$batch" float32,tf32; done
  done
  for batch in 8 256; do
    for network in "${networks[@]}"; do net "$network" "$batch" float32,tf32,float16,int8; done
  done
  torch torch_rest 480 --budget 420 --batch 1,64,8,256 --transfers 1,64
}

if [[ $device == cuda ]] && ! "$bin/gpu_eval" list devices | grep -qE '^cuda +yes'; then
  echo "gpu_first.sh: no usable GPU: $("$bin/gpu_eval" list devices | sed -n 's/^cuda  *no  *//p')" >&2
  echo "gpu_first.sh: --device emu runs the same steps on the emulator" >&2
  exit 5
fi
export bin
step device 30 bash -c state
if [[ $device == emu ]]; then emulated; else measured; fi
step device_after 30 bash -c state
save "end $SECONDS s"
exit "$failed"
