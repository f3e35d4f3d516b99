// SPDX-License-Identifier: Apache-2.0
#include "cuda/select/problem_text.h"

#include <fmt/format.h>

namespace gpueval::cuda {

std::string to_string(const ConvProblem& problem) {
  using gpueval::to_string;
  std::string types = fmt::format("{} > {}", to_string(problem.src), to_string(problem.dst));
  std::string pitches = fmt::format("{} > {}", problem.src_pitch, problem.dst_pitch);
  if (problem.residual) {
    types += " + " + to_string(*problem.residual);
    pitches += fmt::format(" + {}", problem.residual_pitch);
  }
  return fmt::format("{} {} pitch {}", to_string(problem.desc), types, pitches);
}

}  // namespace gpueval::cuda
