// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime/tensor_map.h"

#include "gpueval/error.h"

namespace gpueval::cuda {

// The rules of "Tensor Object Management" in the CUDA driver's reference, as far as our maps can break them.
void check_tensor_map(const char* kernel, const TensorMapFields& f) {
  const auto require = [&](bool holds, const char* what, const auto&... values) {
    if (!holds) fail("kernel '{}': no tensor map: {}", kernel, fmt::format(fmt::runtime(what), values...));
  };
  constexpr std::uint64_t kMostStride = std::uint64_t{1} << 40;
  const auto address = reinterpret_cast<std::uintptr_t>(f.address);
  require(f.address != nullptr && address % 16 == 0, "address {} is not a multiple of 16", f.address);
  require(f.rank == (f.im2col ? 4u : 2u), "{} dimensions", f.rank);
  for (std::uint32_t d = 0; d < f.rank; ++d) {
    require(f.sizes[d] > 0, "dimension {} has no elements", d);
    if (d == 0) continue;
    require(f.strides[d - 1] % 16 == 0 && f.strides[d - 1] > 0 && f.strides[d - 1] < kMostStride,
            "{} bytes from element to element of dimension {}", f.strides[d - 1], d);
  }
  require(f.box[0] == 128, "rows of {} bytes, the swizzle has 128", f.box[0]);
  const std::uint32_t most = f.im2col ? 1024 : 256;
  require(f.box[1] >= 1 && f.box[1] <= most, "a box of {} rows, possible are 1 to {}", f.box[1], most);
  for (int i = 0; f.im2col && i < 2; ++i) {
    require(f.element_strides[i] >= 1 && f.element_strides[i] <= 8, "a stride of {}, possible are 1 to 8",
            f.element_strides[i]);
    require(f.lower[i] >= -128 && f.lower[i] <= 127 && f.upper[i] >= -128 && f.upper[i] <= 127,
            "corners {} and {}, possible are -128 to 127", f.lower[i], f.upper[i]);
  }
}

}  // namespace gpueval::cuda
