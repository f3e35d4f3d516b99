// SPDX-License-Identifier: Apache-2.0
#include "gpueval/models.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/near_miss.h"
#include "gpueval/error.h"

namespace gpueval {

#define GPUEVAL_MODEL(name) ModelSpec name##_model();
#include "models/models.inc"
#undef GPUEVAL_MODEL

const std::vector<ModelSpec>& models() {
  static const std::vector<ModelSpec> all{
#define GPUEVAL_MODEL(name) name##_model(),
#include "models/models.inc"
#undef GPUEVAL_MODEL
  };
  return all;
}

InputSpec input_spec(const ModelSpec& spec, const Graph& graph) {
  const Shape& shape = graph.input_node().shape;
  return {shape.h, shape.w, spec.input.normalization, static_cast<int>(shape.c)};
}

const ModelSpec& find_model(const std::string& name) {
  std::vector<std::string> names;
  for (const ModelSpec& spec : models()) {
    if (spec.name == name) return spec;
    names.push_back(spec.name);
  }
  const std::string listed = fmt::format("{}", fmt::join(names, ", "));
  for (const ModelSpec& spec : models()) {
    for (const double alpha : spec.alphas) names.push_back(model_name(spec, alpha));
  }
  fail_usage("model '{}' is unknown: expected one of {}{}", name, listed, did_you_mean(name, names));
}

std::string model_name(const ModelSpec& spec, double alpha) {
  return alpha == 1 ? spec.name : fmt::format("{}_{:g}", spec.name, alpha);
}

ModelName parse_model_name(const std::string& name) {
  for (const ModelSpec& spec : models()) {
    if (spec.name == name || spec.alphas.size() == 1) continue;
    for (const double alpha : spec.alphas) {
      // As results, and as the table of all networks prints it.
      if (name == fmt::format("{}_{:g}", spec.name, alpha) || name == fmt::format("{} {:g}", spec.name, alpha))
        return {&spec, alpha};
    }
  }
  return {&find_model(name), std::nullopt};
}

}  // namespace gpueval
