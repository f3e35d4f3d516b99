// SPDX-License-Identifier: Apache-2.0
// The convolutions of cuDNN and cuBLAS as rows next to our own kernels, for benchmarks and tests. Without a CUDA
// toolkit or the libraries' headers the lists are empty; without the libraries every maker returns null and says why.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/conv/conv_kernel.h"
#include "cuda/engine/float_conv.h"
#include "cuda/runtime/runtime.h"

namespace gpueval::cuda {

struct FloatBaseline {
  const char* name;  // "cudnn_f32", "cudnn_tf32", "cublaslt_f16", ...
  DType type;        // of FloatConvParams: kF32 or kF16
  FloatMath math;
  // The library's fastest kernel for params, timed on `stream`. Null and *why (one sentence) where it has none.
  std::unique_ptr<FloatConv> (*make)(Runtime& runtime, const FloatConvParams& params, Stream stream, std::string* why);
};

// An integer convolution of a library with our epilogue behind it: bit-exact.
class IntegerConv {
 public:
  virtual ~IntegerConv() = default;
  virtual std::string name() const = 0;  // "cublaslt_s8:algo 21+epilogue"
  // args.weights and args.workspace are not used; args.n = the problem's batch.
  virtual void run(const ConvArgs& args, Stream stream) = 0;
};

struct IntegerBaseline {
  const char* name;  // "cublaslt_s8", "cudnn_s8"
  // weights [K][R][S][C].
  std::unique_ptr<IntegerConv> (*make)(Runtime& runtime, const ConvProblem& problem,
                                       std::span<const std::int8_t> weights, Stream stream, std::string* why);
};

std::span<const FloatBaseline> float_baselines();
std::span<const IntegerBaseline> integer_baselines();

struct LibraryInfo {
  std::string name;     // "cuDNN", "cuBLASLt"
  std::string version;  // "9.19.0", empty where it is missing
  std::string why;      // then: why
};
std::vector<LibraryInfo> library_infos();
// "cuDNN 9.19.0, cuBLASLt 13.1.0", "cuDNN missing: ...": for `list devices` and reports.
std::string library_description();

}  // namespace gpueval::cuda
