// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/problem_text.h"

#include <fmt/format.h>

namespace gpueval::cuda {
namespace {

std::string window_text(const Window& w) {
  return fmt::format("{}x{} stride {}x{} pad {},{},{},{}", w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top,
                     w.pad.bottom, w.pad.left, w.pad.right);
}

}  // namespace

std::string to_string(const ConvProblem& problem) {
  using gpueval::to_string;
  std::string types = fmt::format("{} > {}", to_string(problem.src), to_string(problem.dst));
  std::string pitches = fmt::format("{} > {}", problem.src_pitch, problem.dst_pitch);
  if (problem.residual) {
    types += " + " + to_string(*problem.residual);
    pitches += fmt::format(" + {}", problem.residual_pitch);
  }
  std::string text = fmt::format("{} {} pitch {}", to_string(problem.desc), types, pitches);
  if (problem.pool) text += " max pool " + window_text(*problem.pool);
  return text;
}

}  // namespace gpueval::cuda
