#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fresh Debian 12 machine -> build/gpu_eval -> float32 against int8 on the three embedded networks: one that
# classifies, one that segments, one that detects. Further arguments go to gpu_eval.
# Device code takes minutes an architecture: it is compiled for the GPU at hand, and not at all where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh
if nvidia-smi -L >/dev/null 2>&1; then
  gpu=(-DGPUEVAL_CUDA=ON -DGPUEVAL_CUDA_ARCHITECTURES=native)
else
  gpu=(-DGPUEVAL_CUDA=OFF)
  echo "No NVIDIA GPU here: building for the CPU and the emulated GPU (cmake -B build -DGPUEVAL_CUDA=ON adds the GPU's code)."
fi
cmake -S . -B build -G Ninja -DGPUEVAL_UNITY=ON -DGPUEVAL_TESTS=OFF -DGPUEVAL_BENCH=OFF "${gpu[@]}"
cmake --build build
for network in demo demo-segmentation demo-detection; do
  build/gpu_eval --model "$network" "$@"
done
