#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fresh Debian 12 machine -> build/gpu_eval -> float32 against int8 on the embedded demo. Further arguments go to gpu_eval.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh
cmake -S . -B build -G Ninja -DGPUEVAL_TESTS=OFF -DGPUEVAL_BENCH=OFF
cmake --build build
build/gpu_eval --model demo "$@"
