// SPDX-License-Identifier: Apache-2.0
// oneDNN's convolutions (bias and ReLU fused, weights in its own layout), baselines next to the int8 kernels.
#pragma once

#include <memory>
#include <string>

#include "problem.h"

namespace gpueval::bench {

class OneDnnConv {
 public:
  enum class Type {
    kF32,
    kInt8,  // u8 x s8 -> u8 as (acc + bias) * scale: within one of our formula
  };
  // The problem outlives it.
  OneDnnConv(const Problem& problem, Type type);
  ~OneDnnConv();
  void run();
  std::string implementation() const;  // "brgconv:avx512_core_amx_int8"
  // Empty, or where the last result leaves the tolerance: one for int8; for float32, one beyond the rounding of the
  // integer the reference gives.
  std::string verify() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpueval::bench
