// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_options.h"

namespace gpueval::cli {

EngineOptions engine_options(const Options& options, const std::string& precision, int batch) {
  EngineOptions result{.batch = batch, .kernel = options.kernel};
  if (precision == "tf32") result.math = FloatMath::kTf32;
  if (precision == "float16") result.math = FloatMath::kHalf;
  result.cuda_graph = options.cuda_graph;
  return result;
}

}  // namespace gpueval::cli
