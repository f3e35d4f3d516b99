// SPDX-License-Identifier: Apache-2.0
// Integer convolutions of the CPU backend (dense layers are 1x1 convolutions of one pixel). Exact: every kernel and ISA
// level gives the bits of src/reference/. The formula, from docs/numerics.md, for output channel k:
//   v = fmaf((float)acc, m[k], b[k]); if (residual) v = fmaf((float)r, residual_scale, v); v = min(max(v, lo), hi); q =
//   rint(v)
// Float32 output: v = fmaf(...), residual likewise, v = max(v, lo); neither upper clamp nor rint.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpueval/conv_desc.h"
#include "gpueval/engine.h"
#include "gpueval/tensor.h"

namespace gpueval::cpu {

// Fixed at load time. Everything is copied or packed: the spans need not outlive the constructor.
struct Int8ConvParams {
  ConvDesc desc;                         // desc.n: images of the usual call, for the choice of a kernel only
  DType src = DType::kU8;                // kU8 or kS8
  int src_zero_point = 0;                // of u8: what padded taps hold; in the sums b makes up for it
  DType dst = DType::kU8;                // kU8, kS8 or kF32
  std::span<const std::int8_t> weights;  // [K][R][S][C / groups]; depthwise [R][S][C]
  std::span<const float> m, b;           // K each
  float lo = 0, hi = 255;
  std::optional<DType> residual;  // kU8 or kS8
  float residual_scale = 0;
};

// One call. Pitches are elements from pixel to pixel (>= channels): a tensor may be a slice of a wider one. Kernels
// read and write only the channels they own, never the gap between c and pitch.
struct Int8ConvArgs {
  int n = 1;
  const void* src = nullptr;
  std::int64_t src_pitch = 0;
  void* dst = nullptr;
  std::int64_t dst_pitch = 0;
  const void* residual = nullptr;
  std::int64_t residual_pitch = 0;
  std::optional<float> scale;  // dynamic quantization: replaces every m[k] by one number found at run time
};

// A prepared convolution: weights packed once. run() is const, uses all threads() and takes its scratch from the
// thread.
class Int8Conv {
 public:
  virtual ~Int8Conv() = default;
  virtual void run(const Int8ConvArgs& args) const = 0;
  virtual const std::string& kernel() const = 0;  // row name in kernels.inc
};

// The best usable kernel of the machine, or the one named: a row's name ("conv_s8_avx2") or an ISA level
// ("amx", "avx512_vnni", "avx_vnni", "avx2", "portable"). A forced row that does not apply to the shape falls to the
// row of the same ISA level that does; "amx" itself falls to "avx512_vnni" where matrix tiles do not pay (amx_line.h),
// and "avx_vnni" to "avx2" for depthwise ones; an unknown or unusable name is an Error. Checks depth * 127 * 255 <
// 2^31.
std::unique_ptr<Int8Conv> make_int8_conv(const Int8ConvParams& params, const std::string& kernel = "");

// Rows of src/cpu/int8/kernels.inc, usable on this machine or not.
std::vector<KernelInfo> int8_kernels();
bool int8_kernel_applies(const KernelInfo& kernel, const ConvDesc& desc);  // groups: of one of them
// "amx", "avx512_vnni", "avx_vnni", "avx2" or "portable": the best this machine has, or GPUEVAL_CPU_ISA if set (Error
// if not usable).
std::string best_isa();

}  // namespace gpueval::cpu
