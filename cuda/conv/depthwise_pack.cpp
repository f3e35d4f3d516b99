// SPDX-License-Identifier: Apache-2.0
#include "cuda/conv/depthwise_pack.h"

#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

// per_group taps of [R][S] share a group.
std::vector<std::int8_t> pack_groups(const ConvProblem& problem, std::span<const std::int8_t> weights, int per_group) {
  const ConvDesc& d = problem.desc;
  const auto taps = static_cast<std::size_t>(d.window.kernel_h * d.window.kernel_w);
  const auto channels = static_cast<std::size_t>(d.c), pitch = static_cast<std::size_t>(depthwise_weight_pitch(d));
  const auto group = static_cast<std::size_t>(per_group);
  GPUEVAL_CHECK(weights.size() == taps * channels, "{} weights for {}", weights.size(), to_string(d));
  std::vector<std::int8_t> packed((taps + group - 1) / group * pitch * 4, 0);
  for (std::size_t t = 0; t < taps; ++t) {
    for (std::size_t c = 0; c < channels; ++c) {
      packed[(t / group * pitch + c) * 4 + t % group] = weights[t * channels + c];
    }
  }
  return packed;
}

}  // namespace

int DepthwiseBlocks::count(const ConvDesc& desc, int images) const {
  constexpr std::int64_t kLimit = (std::int64_t{1} << 31) - 1024;  // whole blocks of threads below 2^31
  const std::int64_t blocks = std::int64_t{images} * rows * columns * groups;
  GPUEVAL_CHECK(blocks < kLimit && std::int64_t{images} * desc.h * desc.w < kLimit,
                "a depthwise kernel counts threads and pixels in 31 bits, too few for {} images of {}", images,
                to_string(desc));
  return static_cast<int>(blocks);
}

std::vector<std::int8_t> pack_depthwise_taps(const ConvProblem& problem, std::span<const std::int8_t> weights) {
  return pack_groups(problem, weights, 4);
}

std::vector<std::int8_t> pack_depthwise_rows(const ConvProblem& problem, std::span<const std::int8_t> weights) {
  GPUEVAL_CHECK(problem.desc.window.kernel_w <= 4, "a row of {} taps", problem.desc.window.kernel_w);
  return pack_groups(problem, weights, problem.desc.window.kernel_w);
}

}  // namespace gpueval::cuda
