#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fresh Debian 12 machine -> every test: format, Release, AddressSanitizer + UndefinedBehaviorSanitizer, a short fuzzing run.
# Real data is found by GPUEVAL_DATA (default ../shared/data); tests that need it skip, saying so, without it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh --tests
jobs=$(nproc)
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "format"
git ls-files '*.cpp' '*.h' '*.cu' | xargs clang-format --dry-run -Werror

step "release build"
cmake -S . -B build -G Ninja -DGPUEVAL_CUDA=ON -DGPUEVAL_CUDA_ARCHITECTURES="75-real;80" -DGPUEVAL_TESTS=ON \
  -DGPUEVAL_UNITY=ON -DGPUEVAL_UNITY_TESTS=ON -DGPUEVAL_BENCH=ON
cmake --build build

step "sanitizer build, fuzz targets ${GPUEVAL_FUZZ_SECONDS:-10} s each, tests, as on a machine without a CUDA toolkit"
cmake -S . -B build-asan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang \
  -DGPUEVAL_SANITIZE=ON -DGPUEVAL_FUZZ=ON -DGPUEVAL_CUDA=OFF -DGPUEVAL_TESTS=ON -DGPUEVAL_UNITY=ON -DGPUEVAL_UNITY_TESTS=ON \
  -DGPUEVAL_BENCH=OFF
cmake --build build-asan
GPUEVAL_BUILD=build-asan scripts/fuzz.sh
# The release run alone has: tests on real data and whole measurements, which take minutes each with sanitizers; the
# environment of g++'s OpenMP library, as clang has another one (which leaks a little); a check of the sources; kernels that
# are a template's second and third size; a comparison of two calibrations' quality, of the code that RecipeThreads runs too;
# whole networks of keras.applications but for the smallest.
other_sizes='mma_(64x64x64|128x32x64|128x128x64|128x128x64_4warps|m8n8k16_64x64x64)|dp4a_(128x32x32|64x64x32)'
other_sizes="/emu_conv_s8_($other_sizes|wgmma_(128x64x128|128x128x128|128x128x128_6stages|tma_128x128x128_2stages|tma_128x256x128))( |\$)|^cuda\.Table/ConvNetworks"
release_only='^cli\.(Measure|Recipe|Environment|TerminalSource)\.|^quant\.SpreadCalibration\.IsBetter'
release_only="$release_only|KerasFamilies\.(AreBitExactOnTheEmulator|.*(ConvNeXt|DenseNet|Inception|ResNet|Xception|NASNet|V2B0))"
# A small quarantine: freed memory that the sanitizer keeps would count in the memory tests.
ASAN_OPTIONS=quarantine_size_mb=4 LSAN_OPTIONS=suppressions=$PWD/tests/leaks.supp:print_suppressions=0 KMP_BLOCKTIME=0 \
  ctest --test-dir build-asan -LE 'data|gpu' -j "$jobs" -E "$release_only|$other_sizes" \
  --output-on-failure --no-tests=error --timeout 900

step "release tests"
ctest --test-dir build -j "$jobs" --output-on-failure --no-tests=error --timeout 600

step "GPU steps on the emulator, GPU bundle"
GPUEVAL_BUILD=build scripts/gpu_first.sh build/gpu_first --device emu
scripts/make_gpu_bundle.sh --build build
