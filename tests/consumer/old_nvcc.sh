#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The nvcc of CUDA 11.8, as far as asking for its version goes.
[ "$1" = --version ] || exit 1
echo "nvcc: NVIDIA (R) Cuda compiler driver"
echo "Cuda compilation tools, release 11.8, V11.8.89"
