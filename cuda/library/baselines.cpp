// SPDX-License-Identifier: Apache-2.0
#include "cuda/library/baselines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <optional>
#include <utility>

#include "cuda/library/cublaslt_api.h"
#include "cuda/library/cudnn_api.h"
#include "cuda/library/cudnn_conv.h"
#include "cuda/library/matmul_conv.h"
#include "cuda/library/support.h"
#include "cuda/select/plan_times.h"

namespace gpueval::cuda {
namespace {

constexpr FloatBaseline kFloatBaselines[] = {
    {"cudnn_f32", DType::kF32, FloatMath::kStrict, make_cudnn_float_conv},
    {"cudnn_tf32", DType::kF32, FloatMath::kTf32, make_cudnn_float_conv},
    {"cudnn_f16", DType::kF16, FloatMath::kHalf, make_cudnn_float_conv},
    {"cublaslt_f32", DType::kF32, FloatMath::kStrict, make_matmul_float_conv},
    {"cublaslt_tf32", DType::kF32, FloatMath::kTf32, make_matmul_float_conv},
    {"cublaslt_f16", DType::kF16, FloatMath::kHalf, make_matmul_float_conv},
};

constexpr IntegerBaseline kIntegerBaselines[] = {
    {"cudnn_s8", make_cudnn_integer_conv},
    {"cublaslt_s8", make_matmul_integer_conv},
};

double seconds_of(Runtime& runtime, FloatConv& conv, const FloatConvParams& params, Stream stream) {
  const TimingTensors t(runtime, params, stream);
  return least_seconds(runtime, stream, [&] { conv.run(t.src, t.residual, t.dst, stream); });
}

}  // namespace

std::span<const FloatBaseline> float_baselines() { return kFloatBaselines; }
std::span<const IntegerBaseline> integer_baselines() { return kIntegerBaselines; }

std::vector<LibraryInfo> library_infos() {
  std::vector<LibraryInfo> infos{{"cuDNN", cudnn_version(), ""}, {"cuBLASLt", cublaslt_version(), ""}};
  cudnn_api(&infos[0].why);
  cublaslt_api(&infos[1].why);
  return infos;
}

std::string library_description() {
  std::vector<std::string> parts;
  for (const LibraryInfo& info : library_infos()) {
    parts.push_back(info.version.empty() ? info.why : info.name + " " + info.version);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The fastest of the libraries' kernels; of a depthwise layer our own one counts too.
std::unique_ptr<FloatConv> make_library_float_conv(Runtime& runtime, const FloatConvParams& params, Stream stream,
                                                   std::string* why) {
  std::string reasons;
  std::unique_ptr<FloatConv> best;
  if (runtime.properties().emulated) {
    if (why != nullptr) *why = "cuDNN and cuBLAS run on a GPU only";
    return nullptr;
  }
  PlanTimes times(params.times,
                  plan_problem(fmt::format("cuDNN {}, cuBLASLt {}", cudnn_version(), cublaslt_version()), params));
  double best_seconds = std::numeric_limits<double>::infinity();
  const auto consider = [&](std::unique_ptr<FloatConv> conv) {
    const std::optional<double> seconds =
        times.seconds(conv->name(), [&] { return std::optional(seconds_of(runtime, *conv, params, stream)); });
    if (!seconds || *seconds >= best_seconds) return;
    best_seconds = *seconds;
    best = std::move(conv);
  };
  for (const FloatBaseline& baseline : kFloatBaselines) {
    if (baseline.type != params.type || baseline.math != params.math) continue;
    std::string reason;
    std::unique_ptr<FloatConv> conv = baseline.make(runtime, params, stream, &reason);
    if (conv) {
      consider(std::move(conv));
    } else {
      reasons += (reasons.empty() ? "" : "; ") + reason;
    }
  }
  if (best && params.desc.depthwise && params.own) consider(make_own_float_conv(runtime, params, stream));
  if (!best && why != nullptr) {
    *why = reasons.empty() ? "no library kernel mixes " + to_string(params.type) + " tensors with this precision"
                           : reasons;
  }
  return best;
}

}  // namespace gpueval::cuda
