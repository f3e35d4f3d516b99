#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything that a GPU machine needs for scripts/gpu_first.sh into one archive, .bundle/gpueval.tar.xz: programs
# (sm_75, sm_80, sm_90 and PTX for all newer GPUs), tests, benchmarks and the shared libraries they use beyond the C library.
# There it needs the driver, and for the baselines cuDNN and cuBLAS; glibc must be at least as new as here.
#   scripts/make_gpu_bundle.sh [--data DIR] [--jobs N] [--build DIR]
#   --data DIR   real weights and images to take along, as far as they fit (default: $GPUEVAL_DATA, else none)
#   --build DIR  a configured build folder to take the programs from, with the GPU architectures that it has (default:
#                .bundle/build, configured here)
set -euo pipefail
cd "$(dirname "$0")/.."
out=.bundle
build=$out/build
data=${GPUEVAL_DATA:-}
jobs=$(nproc)
limit_bytes=$((56 * 1024 * 1024))
while [[ $# -gt 0 ]]; do
  case $1 in
    --data) data=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    *) echo "make_gpu_bundle.sh: unknown option '$1'" >&2; exit 2 ;;
  esac
done

# Code for sm_90: translating the PTX takes tens of seconds, in every program where the driver's cache does not work.
architectures=()
[[ -f $build/CMakeCache.txt ]] || architectures=(-DGPUEVAL_CUDA_ARCHITECTURES="75-real;80;90-real")
# DT_RPATH, not RUNPATH: it also serves the libraries that the libraries need, and comes before LD_LIBRARY_PATH.
# shellcheck disable=SC2016  # $ORIGIN is for the dynamic linker
cmake -S . -B "$build" -G Ninja "${architectures[@]}" -DCMAKE_BUILD_TYPE=Release -DGPUEVAL_TESTS=ON -DGPUEVAL_BENCH=ON \
  -DCMAKE_INSTALL_RPATH='$ORIGIN/../lib' -DCMAKE_INSTALL_RPATH_USE_LINK_PATH=OFF \
  -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags
# test_library stays here: it runs our code around a made-up cuDNN on the emulator and sees nothing of the machine. What the
# real libraries do is in test_cuda (LibraryOnGpu).
programs=(gpu_eval gpu_bench test_cuda test_emulator test_bench)
cmake --build "$build" --parallel "$jobs" --target "${programs[@]}"

root=$out/gpueval
rm -rf "$root" "$out/gpueval.tar.xz"
mkdir -p "$root/bin" "$root/lib" "$root/scripts" "$root/bench"
for program in "${programs[@]}"; do
  strip -o "$root/bin/$program" "$build/$program"
done
scripts/check_run_paths.py --least "${#programs[@]}" "$root/bin"

# All shared libraries but those that belong to the C library and must match the kernel's loader.
needed() { ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u; }
while read -r library; do
  case $(basename "$library") in
    libc.so.*|libm.so.*|libdl.so.*|librt.so.*|libpthread.so.*|libresolv.so.*|ld-linux*) ;;
    *) cp -L "$library" "$root/lib/" ;;
  esac
done < <(cd "$root/bin" && needed "${programs[@]/#/./}")

cp -r bench/shapes bench/peers_gpu "$root/bench/"
rm -rf "$root/bench/peers_gpu/__pycache__"
cp scripts/gpu_first.sh scripts/gpu_summary.py "$root/scripts/"
git rev-parse HEAD >"$root/REVISION" 2>/dev/null || echo unknown >"$root/REVISION"

# Four programs carry the same device code: a dictionary larger than a program stores it once.
pack() { tar -C "$out" --owner=0 --group=0 -cf - gpueval | xz --lzma2=preset=4,dict=64MiB >"$out/gpueval.tar.xz"; }
if [[ -n $data ]]; then
  for file in weights/mobilenet_2_5_224_tf.h5 weights/squeezenet_weights_tf_dim_ordering_tf_kernels.h5 \
      imagenet/val224_sample.pkl; do
    if [[ -f $data/$file ]]; then
      install -D -m 644 "$data/$file" "$root/data/$file"
    else
      echo "not taken along: $data/$file is missing"
    fi
  done
fi
pack
size=$(stat -c %s "$out/gpueval.tar.xz")
if (( size >= limit_bytes )) && [[ -d $root/data ]]; then
  echo "not taken along: real data, with which the bundle has $size bytes"
  rm -r "$root/data"
  pack
  size=$(stat -c %s "$out/gpueval.tar.xz")
fi
if (( size >= limit_bytes )); then
  echo "make_gpu_bundle.sh: $out/gpueval.tar.xz has $size bytes, the limit is $limit_bytes" >&2
  exit 1
fi

# It must run elsewhere: unpacked at another place, without environment, every library found in the bundle or the C library.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
tar -C "$elsewhere" -xJf "$out/gpueval.tar.xz"
for program in "${programs[@]}"; do
  stray=$(env -i PATH=/usr/bin:/bin ldd "$elsewhere/gpueval/bin/$program" | grep -F '=>' | grep -vF "$elsewhere" |
    grep -vE '/(libc|libm|libdl|librt|libpthread|libresolv)\.so|linux-vdso' || true)
  if [[ -n $stray ]]; then
    printf 'make_gpu_bundle.sh: %s takes libraries from outside the bundle:\n%s\n' "$program" "$stray" >&2
    exit 1
  fi
done
env -i "$elsewhere/gpueval/bin/gpu_eval" list devices
printf '%s: %d bytes (%d MiB unpacked)\n' "$out/gpueval.tar.xz" "$size" "$(du -sm "$root" | cut -f1)"
