// SPDX-License-Identifier: Apache-2.0
#include "cuda/ops/float_checks.h"

#include <limits>

#include "gpueval/error.h"

namespace gpueval::cuda {

void fail_float_type(const char* operation, DType found) {
  fail("{}: expected float32 or float16 tensors, found {}", operation, to_string(found));
}

void fail_mixed_types(const char* operation, DType first, DType other) {
  fail("{}: expected tensors of one type, found {} and {}", operation, to_string(first), to_string(other));
}

void fail_too_large(const char* operation, std::int64_t elements) {
  fail("{}: {} elements in one tensor, the kernel takes fewer than 2^31; use a smaller --batch", operation, elements);
}

void check_conv_float(const ConvDesc& desc, const DeviceView& src, const DeviceView& residual, const DeviceView& dst) {
  const auto check = [&](const char* role, const DeviceView& view, const Shape& shape) {
    if (view.dtype == src.dtype && view.shape == shape) return;
    fail("conv_float {}: expected {} {} of {}, found {} of {}", to_string(desc), role, to_string(shape),
         to_string(src.dtype), to_string(view.shape), to_string(view.dtype));
  };
  const Shape out{desc.n, desc.p(), desc.q(), desc.k};
  check("src", src, {desc.n, desc.h, desc.w, desc.c});
  check("dst", dst, out);
  if (residual.data != nullptr) check("residual", residual, out);
  if (out.elements() >= std::numeric_limits<std::int32_t>::max()) fail_too_large("conv_float", out.elements());
}

}  // namespace gpueval::cuda
