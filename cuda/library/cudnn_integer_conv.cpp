// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <optional>
#include <utility>

#include "cuda/library/cudnn_conv.h"
#include "cuda/library/cudnn_problem.h"
#include "cuda/library/support.h"
#include "cuda/runtime/tables.h"

namespace gpueval::cuda {
namespace {

constexpr CudnnTypes kTypes{CUDNN_DATA_INT8, CUDNN_DATA_FLOAT, CUDNN_DATA_INT32, CUDNN_DEFAULT_MATH};

class CudnnIntegerConv : public IntegerConv {
 public:
  CudnnIntegerConv(const CudnnApi& api, Runtime& runtime, const ConvProblem& problem,
                   std::span<const std::int8_t> weights, Stream stream)
      : runtime_(runtime),
        problem_(problem),
        library_(api, problem.desc, kTypes, problem.src_pitch),
        weights_(upload(runtime, std::as_bytes(weights), stream)),
        sums_(runtime, static_cast<std::size_t>(problem.desc.output_pixels() * problem.desc.k) * sizeof(float)) {}

  bool choose(Stream stream) {
    const ConvDesc& d = problem_.desc;
    const std::int64_t pixels = std::int64_t{d.n} * d.h * d.w;
    const DeviceBuffer src = timing_buffer(runtime_, pixels * problem_.src_pitch, DType::kS8, stream);
    double best = std::numeric_limits<double>::infinity();
    std::optional<cudnnConvolutionFwdAlgo_t> chosen;
    DeviceBuffer chosen_workspace;
    for (const auto algorithm :
         {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM}) {
      std::size_t bytes = 0;
      if (!library_.workspace_bytes(d.n, algorithm, &bytes) || bytes > kWorkspaceLimit) continue;
      workspace_ = DeviceBuffer(runtime_, bytes);
      const auto convolve = [&] {
        return library_.convolve(d.n, algorithm, src.data(), weights_.data(), sums_.data(), workspace_, stream);
      };
      if (convolve() != CUDNN_STATUS_SUCCESS) continue;
      const double seconds = least_seconds(runtime_, stream, convolve);
      if (seconds >= best) continue;
      best = seconds;
      chosen = algorithm;
      chosen_workspace = std::move(workspace_);
    }
    runtime_.synchronize(stream);
    if (!chosen) return false;
    algorithm_ = *chosen;
    workspace_ = std::move(chosen_workspace);
    return true;
  }

  std::string name() const override { return std::string("cudnn_s8:") + algorithm_name(algorithm_) + "+epilogue"; }

  void run(const ConvArgs& args, Stream stream) override {
    GPUEVAL_CHECK(args.n == problem_.desc.n, "{} images, prepared for {}", args.n, problem_.desc.n);
    GPUEVAL_CHECK(library_.convolve(args.n, algorithm_, args.src, weights_.data(), sums_.data(), workspace_, stream) ==
                      CUDNN_STATUS_SUCCESS,
                  "cuDNN's {} failed on {}", name(), to_string(problem_.desc));
    ops_of(runtime_).finish_integer(problem_, args, sums_.data(), DType::kF32, stream);
  }

 private:
  Runtime& runtime_;
  ConvProblem problem_;
  CudnnProblem library_;
  DeviceBuffer weights_, sums_, workspace_;
  cudnnConvolutionFwdAlgo_t algorithm_ = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
};

// Empty, or why cuDNN's int8 convolution does not do it.
std::string unsupported(const ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  const Padding& pad = d.window.pad;
  if (d.depthwise) return "no int8 depthwise convolution";
  if (problem.src != DType::kS8) return "signed int8 only";
  if (d.c % 4 != 0 || d.k % 4 != 0) return "channels must be a multiple of 4";
  if (pad.top != pad.bottom || pad.left != pad.right) return "no asymmetric padding";
  return "";
}

}  // namespace

std::unique_ptr<IntegerConv> make_cudnn_integer_conv(Runtime& runtime, const ConvProblem& problem,
                                                     std::span<const std::int8_t> weights, Stream stream,
                                                     std::string* why) {
  const CudnnApi* api = cudnn_api(why);
  if (api == nullptr) return nullptr;
  if (const std::string reason = unsupported(problem); !reason.empty()) {
    *why = "cuDNN int8: " + reason;
    return nullptr;
  }
  auto conv = std::make_unique<CudnnIntegerConv>(*api, runtime, problem, weights, stream);
  if (conv->choose(stream)) return conv;
  *why = fmt::format("cuDNN {} has no int8 kernel in NHWC for {}", cudnn_version(), to_string(problem.desc));
  return nullptr;
}

}  // namespace gpueval::cuda
