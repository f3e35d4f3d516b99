// SPDX-License-Identifier: Apache-2.0
// Kernels and operations against src/reference, bit for bit, on small problems that reach their branches: tiles and
// their remainders, borders, strides, every type of source, destination and residual, tensors that are slices of
// others. Errors of the device are thrown.
#pragma once

#include <span>
#include <string>

#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"

namespace gpueval::cuda {

struct CheckResult {
  int cases = 0;        // problems that were compared
  std::string failure;  // empty: all equal; else problem and first difference. Nothing is compared after that.
};

// A row of kernels.inc. One that does none of the problems fails: it would never be tested.
CheckResult check_conv_kernel(Runtime& runtime, const ConvKernel& kernel);

// The operations (ops.h) beside the integer convolutions.
struct OperationCheck {
  const char* name;
  CheckResult (*check)(Runtime& runtime, const Ops& ops);
  bool replaced = false;  // where it failed, no network runs it, and results are right
};
std::span<const OperationCheck> integer_checks();
std::span<const OperationCheck> float_checks();
std::span<const OperationCheck> move_checks();
std::span<const OperationCheck> image_checks();
std::span<const OperationCheck> detector_checks();
std::span<const OperationCheck> operation_checks();  // all

}  // namespace gpueval::cuda
