// SPDX-License-Identifier: Apache-2.0
// Errors of the float operations, in a host file: nvcc does not take fmt's checked format strings.
#pragma once

#include <cstdint>

#include "cuda/ops/ops.h"

namespace gpueval::cuda {

[[noreturn]] void fail_float_type(const char* operation, DType found);
[[noreturn]] void fail_mixed_types(const char* operation, DType first, DType other);
[[noreturn]] void fail_too_large(const char* operation, std::int64_t elements);
// Views of one type and of desc's shapes.
void check_conv_float(const ConvDesc& desc, const DeviceView& src, const DeviceView& residual, const DeviceView& dst);

}  // namespace gpueval::cuda
