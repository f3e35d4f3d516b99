#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that needs a GPU, in one command: tests, compute-sanitizer, roofs and kernels, the nine networks, PyTorch next
# to them. Runs from the unpacked bundle (scripts/make_gpu_bundle.sh) or the source tree; needs the driver, and for the
# baselines cuDNN and cuBLAS, also as PyPI's nvidia-* packages. Each part fits ten minutes; a failing one stops no other.
#   scripts/gpu_check.sh [--out DIR] [--part tests,sanitizer,kernels,networks,torch] [--data DIR] [--dry-run]
#   --part     one or several (default: all five)
#   --data     real weights and images (default: $GPUEVAL_DATA, else the bundle's own): int8 logits of GPU and CPU compared
#   --dry-run  the same steps on the emulator with tiny sizes: shows that the script works, measures nothing
# Environment: GPUEVAL_BUILD (build folder, default build), GPUEVAL_CHECK_NETWORKS, GPUEVAL_CHECK_BATCHES (words).
# Exit code: 0 every step passed; 1 a step failed; 2 usage; 5 no GPU (and no --dry-run). Results: DIR/summary.md, *.json, logs/.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=gpu_check
parts=tests,sanitizer,kernels,networks,torch
data=${GPUEVAL_DATA:-}
dry=0
while [[ $# -gt 0 ]]; do
  case $1 in
    --out) out=$2; shift 2 ;;
    --part) parts=$2; shift 2 ;;
    --data) data=$2; shift 2 ;;
    --dry-run) dry=1; shift ;;
    *) echo "gpu_check.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done
for part in ${parts//,/ }; do
  [[ " tests sanitizer kernels networks torch " == *" $part "* ]] ||
    { echo "gpu_check.sh: no part '$part' (tests, sanitizer, kernels, networks, torch)" >&2; exit 2; }
done
bin=$root/bin
[[ -x $bin/gpu_eval ]] || bin=${GPUEVAL_BUILD:-$root/build}
[[ -x $bin/gpu_eval ]] || { echo "gpu_check.sh: no gpu_eval in $bin (GPUEVAL_BUILD names the build folder)" >&2; exit 2; }
bin=$(cd "$bin" && pwd)
[[ -n $data || ! -d $root/data ]] || data=$root/data
[[ -z $data ]] || export GPUEVAL_DATA=$data
export GPUEVAL_BENCH_SHAPES=$root/bench/shapes
mkdir -p "$out/logs" && out=$(cd "$out" && pwd)

# ---- cuDNN and cuBLAS, wherever PyPI's packages or the toolkit put them
python=$(command -v python3 || true)
find_libraries() {
  local base
  [[ -n $python ]] && "$python" -c 'import site, sys
for path in dict.fromkeys(site.getsitepackages() + [site.getusersitepackages()] + sys.path): print(path)' |
    while read -r base; do [[ -d $base/nvidia ]] && find "$base/nvidia" -maxdepth 3 -type d -name lib; done
  [[ -d /usr/local/cuda/lib64 ]] && echo /usr/local/cuda/lib64
}
loader_path=${LD_LIBRARY_PATH:-}  # as it was: PyTorch keeps the libraries that it ships with
libraries=$(find_libraries 2>/dev/null | sort -u | paste -sd:)
if [[ -n $libraries ]]; then
  export GPUEVAL_CUDA_LIBRARIES=${GPUEVAL_CUDA_LIBRARIES:+$GPUEVAL_CUDA_LIBRARIES:}$libraries
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries
fi

# The most telling first: what the time does not suffice for is skipped and named.
read -ra networks <<<"${GPUEVAL_CHECK_NETWORKS:-resnet50 mobilenet_1.0 inceptionv3 vgg16 xception squeezenet mobilenet_0.75 \
mobilenet_0.5 mobilenet_0.25}"
read -ra batches <<<"${GPUEVAL_CHECK_BATCHES:-1 64 8 256}"

device=cuda tests='*/gpu*:LibraryOnGpu.*'
if (( dry )); then
  device=emu
elif ! "$bin/gpu_eval" list devices | grep -qE '^cuda +yes'; then
  echo "gpu_check.sh: no usable GPU: $("$bin/gpu_eval" list devices | sed -n 's/^cuda  *no  *//p')" >&2
  echo "gpu_check.sh: --dry-run runs the same steps on the emulator" >&2
  exit 5
fi

# ---- steps: one line each in steps.tsv (part, step, result, seconds, reason)
touch "$out/steps.tsv"
for part in ${parts//,/ }; do sed -i "/^$part\t/d" "$out/steps.tsv"; done  # of an earlier run
failed=0 part_end=0
note() {  # part, step, result, seconds, reason
  printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$out/steps.tsv"
  printf '%-10s %-34s %s (%ss) %s\n' "$@" >&2
}
step() {  # part, step, limit in seconds, command...
  local part=$1 name=$2 limit=$3 begin=$SECONDS rc result=passed reason=
  shift 3
  if (( part_end - SECONDS < 5 )); then
    note "$part" "$name" skipped 0 "not started: the part's time was used up"
    return 1
  fi
  (( limit <= part_end - SECONDS )) || limit=$((part_end - SECONDS))
  timeout --kill-after=10 "$limit" "$@" >"$out/logs/$part-$name.log" 2>&1 </dev/null
  rc=$?
  if (( rc != 0 )); then
    result=failed failed=1
    reason="exit code $rc: $(grep -v '^ *$' "$out/logs/$part-$name.log" | tail -n 1 | cut -c -160)"
    (( rc != 124 && rc != 137 )) || reason="stopped after $limit s"
  fi
  note "$part" "$name" "$result" "$((SECONDS - begin))" "$reason"
  return "$rc"
}
# A test program's step: a filter that matches no test is a failure, not a pass.
test_step() {  # part, step, limit in seconds, program, filter
  step "$1" "$2" "$3" bash -c '"$1" --gtest_filter="$2" --gtest_output="json:$3" && ! grep -q "^  \"tests\": 0," "$3"' \
    - "$bin/$4" "$5" "$out/test_$2.json"
}
skip() { note "$1" "$2" skipped 0 "$3"; }
clocks() {  # label
  command -v nvidia-smi >/dev/null || return 0
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,temperature.gpu,power.draw \
    --format=csv >"$out/clocks-$1.csv" 2>&1
}

part_tests() {
  if (( dry )); then
    test_step tests wrappers 120 test_cuda '*Prim*/emu'
    test_step tests kernels 200 test_cuda '*ConvRow.ZeroWeights*/emu*'
    test_step tests roofs 60 test_bench '*DeviceRoof*/emu'
    return
  fi
  test_step tests wrappers 60 test_cuda '*Prim*/gpu*'
  test_step tests roofs 60 test_bench "$tests"
  test_step tests all 320 test_cuda "$tests"
  test_step tests emulator 60 test_emulator '-*Real*'
}

find_sanitizer() {
  command -v compute-sanitizer && return
  [[ -x /usr/local/cuda/bin/compute-sanitizer ]] && { echo /usr/local/cuda/bin/compute-sanitizer; return; }
  [[ -n $python ]] && "$python" -c 'import site, sys
for path in dict.fromkeys(site.getsitepackages() + [site.getusersitepackages()] + sys.path): print(path)' |
    while read -r base; do [[ -d $base/nvidia ]] && find "$base/nvidia" -name compute-sanitizer -type f -perm -u+x; done | head -n 1
}

# Small tests that reach every integer kernel; racecheck is the slowest by far. test_library needs no GPU: it is not here.
part_sanitizer() {
  local tool sanitizer small='*Prim*/gpu*:*ConvRow.IdentityWeights*/gpu*:*ConvRow.ZeroWeights*/gpu*'
  sanitizer=$(find_sanitizer 2>/dev/null)
  # Under some virtual machines it starts and refuses the GPU.
  if (( ! dry )) && [[ -n $sanitizer ]]; then
    timeout 60 "$sanitizer" "$bin/test_cuda" --gtest_filter='*PrimTest.Dp4a/gpu' >"$out/logs/sanitizer-probe.log" 2>&1 </dev/null
    if grep -q 'Device not supported' "$out/logs/sanitizer-probe.log"; then
      for tool in memcheck racecheck synccheck ops; do skip sanitizer "$tool" "$sanitizer: Device not supported"; done
      return
    fi
  fi
  for tool in memcheck racecheck synccheck; do
    if (( dry )); then
      skip sanitizer "$tool" "needs a GPU"
    elif [[ -z $sanitizer ]]; then
      skip sanitizer "$tool" "compute-sanitizer not found"
    else
      step sanitizer "$tool" 140 "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/test_cuda" --gtest_filter="$small"
    fi
  done
  (( dry )) || [[ -z $sanitizer ]] || step sanitizer ops 80 "$sanitizer" --tool memcheck --error-exitcode 9 "$bin/test_cuda" \
    --gtest_filter='*IntegerOps*/gpu*:*TopKOps*/gpu*:*DeviceEngine.LoadsComputesAndFetchesApart/gpu'
}

part_kernels() {
  local bench=("$bin/gpu_bench" --device "$device")
  if (( dry )); then
    step kernels tiny 200 "${bench[@]}" --cache both --compare naive,dp4a,mma --json "$out/kernels_tiny.json" \
      --markdown "$out/kernels_tiny.md"
    return
  fi
  step kernels roofs 60 "${bench[@]}" --roofs --roof-time 1 --json "$out/roofs.json" --markdown "$out/roofs.md"
  local compare='dp4a,mma,cudnn|cublas'
  step kernels roofline64 150 "${bench[@]}" --batch 64 --shapes '^roofline/' --cache both --min-time 0.02 \
    --compare "$compare" --json "$out/kernels_roofline64.json" --markdown "$out/kernels_roofline64.md"
  step kernels resnet64 170 "${bench[@]}" --batch 64 --shapes '^resnet50/' --min-time 0.02 \
    --compare "$compare" --json "$out/kernels_resnet64.json" --markdown "$out/kernels_resnet64.md"
  step kernels batch1 180 "${bench[@]}" --batch 1 --shapes '^(roofline|resnet50|mobilenet_1.0)/' --min-time 0.02 \
    --compare "$compare" --json "$out/kernels_batch1.json" --markdown "$out/kernels_batch1.md"
}

# Random weights: speed does not depend on their values. One program run times all precisions of a network and batch: the
# pass alone, by the device's clock. The first two networks also run without a CUDA graph (batch 1) and, for the first two
# batches, with the copies, by the host's clock.
copied=("${batches[@]:0:2}") closely=" ${networks[*]:0:2} "
part_networks() {
  local loop_end=$((SECONDS + 430)) batch network model
  local networks=("${networks[@]}") batches=("${batches[@]}") precisions=float32,tf32,float16,int8 extra=()
  if (( dry )); then
    networks=(demo) batches=(1) precisions=float32,int8 closely=' demo '
    extra=(--iterations 2)
  fi
  timed() {  # suffix, options...
    local label=${network}_batch$batch$1
    shift
    if (( SECONDS > loop_end )); then
      skip networks "$label" "not started: the part's time was used up"
      return
    fi
    local run=("$bin/gpu_eval" "${model[@]}" --device "$device" --mode speed --batch "$batch" --duration 0.5 "${extra[@]}" "$@"
      --json "$out/network_$label.json")
    # tf32 alone needs the libraries: without it the others can still be measured.
    step networks "$label" 120 "${run[@]}" --precision "$precisions" || [[ $precisions != *tf32* ]] ||
      step networks "${label}_without_tf32" 120 "${run[@]}" --precision "${precisions/tf32,/}"
  }
  for batch in "${batches[@]}"; do
    for network in "${networks[@]}"; do
      model=(--model "${network%%_*}")
      [[ $network != *_* ]] || model+=(--alpha "${network##*_}")
      [[ $network == demo ]] || model+=(--weights random)
      timed ""
      [[ $closely == *" $network "* ]] || continue
      [[ $batch != 1 ]] || timed _no_graph --no-cuda-graph
      [[ " ${copied[*]} " != *" $batch "* ]] || timed _transfers --include-data-transfers
    done
  done
  compare_logits
}

# int8 must give the same bits on every device.
compare_logits() {
  local name target
  local common=(--precision int8 --scheme maxabs --mode accuracy)
  logits() {  # name, options...
    name=$1
    shift
    for target in cpu "$device"; do
      step networks "logits_${name}_$target" 60 "$bin/gpu_eval" "$@" "${common[@]}" --device "$target" \
        --save-logits "$out/logits_${name}_$target.npy" || return
    done
    step networks "logits_${name}_equal" 10 cmp "$out/logits_${name}_cpu.npy" "$out/logits_${name}_$device.npy"
  }
  if (( dry )); then
    logits demo --model demo --limit 20 --calibration-images 16
  elif [[ -n $data && -d $data/weights ]]; then
    logits mobilenet_0.25 --model mobilenet --alpha 0.25 --data "$data/imagenet/val224_sample.pkl" --batch 8
    logits squeezenet --model squeezenet --data "$data/imagenet/val224_sample.pkl" --batch 8
  else
    skip networks logits "no real data (--data)"
  fi
}

part_torch() {
  local script=$root/bench/peers_gpu/torch_bench.py
  if [[ -z $python ]] || ! "$python" -c 'import torch' 2>/dev/null; then
    skip torch import "no python3 with torch"
    return
  fi
  step torch definitions 60 env LD_LIBRARY_PATH="$loader_path" "$python" "$script" --check "$bin/gpu_eval"
  if (( dry )); then
    step torch cpu 60 "$python" "$script" --device cpu --networks mobilenet_0.25 --batch 1 --precision float32 \
      --warm-up 10 --duration 0.1 --iterations 2 --json "$out/torch.json"
  else
    step torch cuda 480 env LD_LIBRARY_PATH="$loader_path" "$python" "$script" --budget 420 \
      --batch "$(IFS=,; echo "${batches[*]}")" --transfers "$(IFS=,; echo "${copied[*]}")" \
      --networks "$(IFS=,; echo "${networks[*]}")" --json "$out/torch.json"
  fi
}

"$bin/gpu_eval" list devices >"$out/devices.txt" 2>&1
clocks before
for part in ${parts//,/ }; do
  part_end=$((SECONDS + 570))
  "part_$part"
done
clocks after
if [[ -n $python ]]; then
  "$python" "$root/scripts/gpu_summary.py" "$out" || failed=1
else
  echo "gpu_check.sh: no python3, so no summary.md: the JSON files and logs in $out stand alone" >&2
fi
exit "$failed"
