// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/cudnn_conv.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/library/cudnn_problem.h"
#include "cuda/library/support.h"
#include "cuda/runtime/tables.h"
#include "cuda/select/plan_times.h"

namespace gpueval::cuda {
namespace {

constexpr cudnnConvolutionFwdAlgo_t kAlgorithms[] = {
    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
    CUDNN_CONVOLUTION_FWD_ALGO_GEMM,          CUDNN_CONVOLUTION_FWD_ALGO_DIRECT,
    CUDNN_CONVOLUTION_FWD_ALGO_FFT,           CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING,
    CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,      CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED};

// Those whose results are sums of the products, as the tolerance of strict float32 assumes.
bool sums_products(cudnnConvolutionFwdAlgo_t algorithm) { return algorithm <= CUDNN_CONVOLUTION_FWD_ALGO_DIRECT; }

CudnnTypes types_of(DType type, FloatMath math) {
  const cudnnDataType_t data = type == DType::kF16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
  const cudnnMathType_t how = type == DType::kF16          ? CUDNN_TENSOR_OP_MATH
                              : math == FloatMath::kStrict ? CUDNN_FMA_MATH
                                                           : CUDNN_DEFAULT_MATH;  // TF32 from sm_80 on
  return {data, data, CUDNN_DATA_FLOAT, how};
}

// The convolution that cuDNN sees: the part of the padding that is the same on both sides stays with it, the rest has
// become pixels.
ConvDesc symmetric(const ConvDesc& desc) {
  ConvDesc result = desc;
  Padding& pad = result.window.pad;
  result.h += std::abs(pad.top - pad.bottom);
  result.w += std::abs(pad.left - pad.right);
  pad.top = pad.bottom = std::min(pad.top, pad.bottom);
  pad.left = pad.right = std::min(pad.left, pad.right);
  return result;
}

class CudnnFloatConv : public FloatConv {
 public:
  CudnnFloatConv(const CudnnApi& api, Runtime& runtime, const FloatConvParams& params, Stream stream)
      : runtime_(runtime),
        desc_(params.desc),
        type_(params.type),
        act_(params.act),
        residual_(params.residual),
        strict_(params.type == DType::kF32 && params.math == FloatMath::kStrict),
        problem_(api, symmetric(params.desc), types_of(params.type, params.math), params.desc.c) {
    const std::int64_t taps = std::int64_t{desc_.window.kernel_h} * desc_.window.kernel_w;
    const std::vector<float> weights = transposed(params.weights, desc_.depthwise ? taps : desc_.depth(), desc_.k);
    weights_ = upload(runtime, to_elements(weights, type_), stream);
    std::vector<float> bias(params.bias.begin(), params.bias.end());
    has_bias_ = !bias.empty();
    bias.resize(static_cast<std::size_t>(desc_.k), 0.0f);
    bias_ = upload(runtime, to_elements(bias, DType::kF32), stream);
    library_bias_ = upload(runtime, to_elements(bias, type_), stream);
    if (is_padded()) {
      padded_ = DeviceBuffer(runtime, static_cast<std::size_t>(padded_view(desc_.n).shape.elements()) * size_of(type_));
      runtime.fill(padded_.data(), 0, padded_.size(), stream);
      runtime.synchronize(stream);
    }
  }

  // Times all plans that are not in the cache; false: none takes the problem.
  bool choose(const FloatConvParams& params, Stream stream) {
    PlanTimes times(params.times, plan_problem("cuDNN " + cudnn_version(), params));
    std::optional<TimingTensors> tensors;
    double best = std::numeric_limits<double>::infinity();
    std::optional<Plan> chosen;
    for (const cudnnConvolutionFwdAlgo_t algorithm : kAlgorithms) {
      std::size_t all = 0, one = 0;
      if (strict_ && !sums_products(algorithm)) continue;
      if (!problem_.workspace_bytes(desc_.n, algorithm, &all) || !problem_.workspace_bytes(1, algorithm, &one))
        continue;
      if (std::max(all, one) > kWorkspaceLimit) continue;
      for (const bool fused : {true, false}) {
        if (fused && !can_fuse(algorithm)) continue;
        plan_ = {algorithm, fused, std::max(all, one)};
        const std::optional<double> seconds = times.seconds(name(), [&] {
          if (!tensors) tensors.emplace(runtime_, params, stream);
          return measure(*tensors, stream);
        });
        if (!seconds || *seconds >= best) continue;
        best = *seconds;
        chosen = plan_;
      }
    }
    if (!chosen) return false;
    plan_ = *chosen;
    workspace_ = DeviceBuffer(runtime_, plan_.workspace_bytes);
    return true;
  }

  std::string name() const override {
    return std::string("cudnn:") + algorithm_name(plan_.algorithm) + (is_padded() ? "+pad" : "") +
           (plan_.fused               ? "+fused"
            : needs_finish(residual_) ? "+epilogue"
                                      : "");
  }

  void run(const DeviceView& src, const DeviceView& residual, const DeviceView& dst, Stream stream) override {
    GPUEVAL_CHECK(enqueue(src, residual, dst, stream) == CUDNN_STATUS_SUCCESS, "cuDNN's {} failed on {} ({} images)",
                  name(), to_string(desc_), src.shape.n);
  }

 private:
  struct Plan {
    cudnnConvolutionFwdAlgo_t algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
    bool fused = false;
    std::size_t workspace_bytes = 0;
  };

  // Of plan_; nothing where cuDNN refuses it.
  std::optional<double> measure(const TimingTensors& t, Stream stream) {
    workspace_ = DeviceBuffer(runtime_, plan_.workspace_bytes);
    if (enqueue(t.src, t.residual, t.dst, stream) != CUDNN_STATUS_SUCCESS) return std::nullopt;
    return least_seconds(runtime_, stream, [&] { run(t.src, t.residual, t.dst, stream); });
  }

  bool is_padded() const { return problem_.desc().h != desc_.h || problem_.desc().w != desc_.w; }
  bool needs_finish(bool residual) const { return has_bias_ || residual || act_ != Activation::kNone; }
  // cuDNN fuses ReLU, and no activation with one algorithm only.
  bool can_fuse(cudnnConvolutionFwdAlgo_t algorithm) const {
    if (act_ == Activation::kNone) return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    return act_ == Activation::kRelu;
  }
  DeviceView padded_view(int n) const {
    const ConvDesc& d = problem_.desc();
    return {padded_.data(), type_, {n, d.h, d.w, d.c}, d.c};
  }

  cudnnStatus_t enqueue(const DeviceView& src, const DeviceView& residual, const DeviceView& dst, Stream stream) {
    DeviceView in = src;
    if (is_padded()) {
      const Padding& pad = desc_.window.pad;
      in = padded_view(src.shape.n);
      ops_of(runtime_).copy(src, in, pad.top - std::min(pad.top, pad.bottom), pad.left - std::min(pad.left, pad.right),
                            stream);
    }
    std::size_t bytes = 0;
    const int n = src.shape.n;
    // The plan was chosen for desc_.n images. Should it not fit this count, the images go one by one.
    const bool whole =
        n == desc_.n || (problem_.workspace_bytes(n, plan_.algorithm, &bytes) && bytes <= workspace_.size());
    const int step = whole ? n : 1;
    for (int image = 0; image < n; image += step) {
      const cudnnStatus_t status =
          convolve(step, image_of(in, image), image_of(residual, image), image_of(dst, image), stream);
      if (status != CUDNN_STATUS_SUCCESS) return status;
    }
    if (!plan_.fused && needs_finish(residual.data != nullptr)) {
      const auto* bias = has_bias_ ? static_cast<const float*>(bias_.data()) : nullptr;
      ops_of(runtime_).finish_float(dst, bias, residual, act_, dst, stream);
    }
    return CUDNN_STATUS_SUCCESS;
  }

  cudnnStatus_t convolve(int n, const void* src, const void* residual, void* dst, Stream stream) {
    if (!plan_.fused) return problem_.convolve(n, plan_.algorithm, src, weights_.data(), dst, workspace_, stream);
    return problem_.convolve_fused(n, plan_.algorithm, src, weights_.data(), residual, library_bias_.data(),
                                   act_ == Activation::kRelu, dst, workspace_, stream);
  }

  static void* image_of(const DeviceView& view, int image) {
    if (view.data == nullptr) return nullptr;
    const std::int64_t elements = std::int64_t{view.shape.h} * view.shape.w * view.pitch * image;
    return static_cast<std::byte*>(view.data) + elements * static_cast<std::int64_t>(size_of(view.dtype));
  }

  Runtime& runtime_;
  ConvDesc desc_;
  DType type_;
  Activation act_;
  bool residual_, strict_, has_bias_ = false;
  CudnnProblem problem_;
  DeviceBuffer weights_, bias_, library_bias_, padded_, workspace_;
  Plan plan_;
};

}  // namespace

std::unique_ptr<FloatConv> make_cudnn_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                 std::string* why) {
  const CudnnApi* api = cudnn_api(why);
  if (api == nullptr) return nullptr;
  if (params.math == FloatMath::kTf32 && runtime.properties().sm < 80) {
    *why = fmt::format("{} has no TF32", runtime.properties().name);
    return nullptr;
  }
  auto conv = std::make_unique<CudnnFloatConv>(*api, runtime, params, stream);
  if (conv->choose(params, stream)) return conv;
  *why = fmt::format("cuDNN {} has no {} kernel in NHWC for {}", cudnn_version(), to_string(params.type),
                     to_string(params.desc));
  return nullptr;
}

}  // namespace gpueval::cuda
