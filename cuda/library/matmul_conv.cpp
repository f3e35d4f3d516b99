// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/matmul_conv.h"

#include <optional>
#include <utility>
#include <vector>

#include "cuda/library/matmul.h"
#include "cuda/library/support.h"
#include "cuda/runtime/tables.h"

namespace gpueval::cuda {
namespace {

bool is_matmul(const ConvDesc& desc) { return !desc.depthwise && desc.window == Window{}; }

cublasComputeType_t compute_of(const FloatConvParams& params) {
  if (params.type == DType::kF16) return CUBLAS_COMPUTE_32F;
  return params.math == FloatMath::kStrict ? CUBLAS_COMPUTE_32F_PEDANTIC : CUBLAS_COMPUTE_32F_FAST_TF32;
}

class MatmulFloatConv : public FloatConv {
 public:
  MatmulFloatConv(const CublasLtApi& api, Runtime& runtime, const FloatConvParams& params, bool fused, Stream stream)
      : runtime_(runtime),
        desc_(params.desc),
        type_(params.type),
        act_(params.act),
        fused_(fused),
        has_bias_(!params.bias.empty()),
        weights_(upload(runtime, to_elements(params.weights, params.type), stream)),
        bias_(upload(runtime, to_elements(params.bias, fused ? params.type : DType::kF32), stream)),
        matmul_(api, runtime, spec_of(params)) {}

  static bool can_fuse(const FloatConvParams& params) {
    const bool has_work = !params.bias.empty() || params.residual || params.act != Activation::kNone;
    return has_work && params.act != Activation::kRelu6;
  }

  // Seconds of the whole, bias and activation with it; nothing where cuBLASLt offers nothing.
  std::optional<double> choose(const FloatConvParams& params, Stream stream) {
    const std::string problem = plan_problem("cuBLASLt " + cublaslt_version(), params);
    PlanTimes products(params.times, problem + (fused_ ? ", fused" : ", products"));
    PlanTimes whole(params.times, problem + (fused_ ? ", fused whole" : ", whole"));
    std::optional<TimingTensors> tensors;
    const auto timed_on = [&]() -> const TimingTensors& {
      if (!tensors) tensors.emplace(runtime_, params, stream);
      return *tensors;
    };
    const auto operands = [&]() -> Matmul::Operands {
      const TimingTensors& t = timed_on();
      return {t.src.data, weights_.data(), fused_ ? t.residual.data : nullptr, t.dst.data};
    };
    if (!matmul_.choose(std::int64_t{desc_.n} * desc_.h * desc_.w, products, operands, stream)) return std::nullopt;
    return whole.seconds(name(), [&]() -> std::optional<double> {
      const TimingTensors& t = timed_on();
      return least_seconds(runtime_, stream, [&] { run(t.src, t.residual, t.dst, stream); });
    });
  }

  std::string name() const override {
    const bool finish = has_bias_ || act_ != Activation::kNone;
    return fmt::format("cublaslt:algo {}{}", matmul_.algorithm_id(), fused_ ? "+fused" : finish ? "+epilogue" : "");
  }

  void run(const DeviceView& src, const DeviceView& residual, const DeviceView& dst, Stream stream) override {
    matmul_.run(src.shape.pixels(), src.data, weights_.data(), fused_ ? residual.data : nullptr, dst.data, stream);
    if (fused_ || (!has_bias_ && residual.data == nullptr && act_ == Activation::kNone)) return;
    const auto* bias = has_bias_ ? static_cast<const float*>(bias_.data()) : nullptr;
    ops_of(runtime_).finish_float(dst, bias, residual, act_, dst, stream);
  }

 private:
  MatmulSpec spec_of(const FloatConvParams& params) const {
    const cudaDataType_t type = params.type == DType::kF16 ? CUDA_R_16F : CUDA_R_32F;
    MatmulSpec spec{.c = params.desc.c,
                    .k = params.desc.k,
                    .src_pitch = params.desc.c,
                    .src = type,
                    .dst = type,
                    .compute = compute_of(params)};
    if (!fused_) return spec;
    if (params.act == Activation::kRelu) {
      spec.epilogue = has_bias_ ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    } else if (has_bias_) {
      spec.epilogue = CUBLASLT_EPILOGUE_BIAS;
    }
    if (has_bias_) spec.bias = bias_.data();
    return spec;
  }

  Runtime& runtime_;
  ConvDesc desc_;
  DType type_;
  Activation act_;
  bool fused_, has_bias_;
  DeviceBuffer weights_, bias_;
  Matmul matmul_;
};

class MatmulIntegerConv : public IntegerConv {
 public:
  MatmulIntegerConv(const CublasLtApi& api, Runtime& runtime, const ConvProblem& problem,
                    std::span<const std::int8_t> weights, Stream stream)
      : runtime_(runtime),
        problem_(problem),
        weights_(upload(runtime, std::as_bytes(weights), stream)),
        sums_(runtime, static_cast<std::size_t>(problem.desc.output_pixels() * problem.desc.k) * sizeof(int)),
        matmul_(api, runtime,
                {.c = problem.desc.c,
                 .k = problem.desc.k,
                 .src_pitch = problem.src_pitch,
                 .src = CUDA_R_8I,
                 .dst = CUDA_R_32I,
                 .compute = CUBLAS_COMPUTE_32I,
                 .weights_by_output = true}) {}

  bool choose(Stream stream) {
    const std::int64_t rows = problem_.desc.output_pixels();
    const DeviceBuffer src = timing_buffer(runtime_, rows * problem_.src_pitch, DType::kS8, stream);
    PlanTimes times(nullptr, "");
    const auto operands = [&]() -> Matmul::Operands { return {src.data(), weights_.data(), nullptr, sums_.data()}; };
    const bool found = matmul_.choose(rows, times, operands, stream);
    runtime_.synchronize(stream);
    return found;
  }

  std::string name() const override { return fmt::format("cublaslt_s8:algo {}+epilogue", matmul_.algorithm_id()); }

  void run(const ConvArgs& args, Stream stream) override {
    const ConvDesc& d = problem_.desc;
    matmul_.run(std::int64_t{args.n} * d.h * d.w, args.src, weights_.data(), nullptr, sums_.data(), stream);
    ops_of(runtime_).finish_integer(problem_, args, sums_.data(), DType::kS32, stream);
  }

 private:
  Runtime& runtime_;
  ConvProblem problem_;
  DeviceBuffer weights_, sums_;
  Matmul matmul_;
};

// Empty, or why cuBLASLt's int8 product does not do it.
std::string unsupported(const ConvProblem& problem) {
  const ConvDesc& d = problem.desc;
  if (!is_matmul(d)) return "dense layers and 1x1 convolutions of stride 1 only";
  if (problem.src != DType::kS8) return "signed int8 only";
  if (d.c % 4 != 0 || d.k % 4 != 0 || problem.src_pitch % 4 != 0) return "channels must be a multiple of 4";
  return "";
}

}  // namespace

std::unique_ptr<FloatConv> make_matmul_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                  std::string* why) {
  const CublasLtApi* api = cublaslt_api(why);
  if (api == nullptr) return nullptr;
  if (!is_matmul(params.desc)) {
    *why = "cuBLASLt: dense layers and 1x1 convolutions of stride 1 only";
    return nullptr;
  }
  std::unique_ptr<FloatConv> best;
  double best_seconds = 0;
  for (const bool fused : {true, false}) {
    if (fused && !MatmulFloatConv::can_fuse(params)) continue;
    auto conv = std::make_unique<MatmulFloatConv>(*api, runtime, params, fused, stream);
    const std::optional<double> seconds = conv->choose(params, stream);
    if (!seconds || (best && *seconds >= best_seconds)) continue;
    best_seconds = *seconds;
    best = std::move(conv);
  }
  if (!best) {
    *why = fmt::format("cuBLASLt {} has no {} algorithm for {}", cublaslt_version(), to_string(params.type),
                       to_string(params.desc));
  }
  return best;
}

std::unique_ptr<IntegerConv> make_matmul_integer_conv(Runtime& runtime, const ConvProblem& problem,
                                                      std::span<const std::int8_t> weights, Stream stream,
                                                      std::string* why) {
  const CublasLtApi* api = cublaslt_api(why);
  if (api == nullptr) return nullptr;
  if (const std::string reason = unsupported(problem); !reason.empty()) {
    *why = "cuBLASLt int8: " + reason;
    return nullptr;
  }
  auto conv = std::make_unique<MatmulIntegerConv>(*api, runtime, problem, weights, stream);
  if (conv->choose(stream)) return conv;
  *why = fmt::format("cuBLASLt {} has no int8 algorithm for {}", cublaslt_version(), to_string(problem.desc));
  return nullptr;
}

}  // namespace gpueval::cuda
