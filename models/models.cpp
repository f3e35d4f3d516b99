// SPDX-License-Identifier: Apache-2.0
#include "gpueval/models.h"

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

const ModelSpec& find_model(const std::string& name) {
  std::string names;
  for (const ModelSpec& spec : models()) {
    if (spec.name == name) return spec;
    names += (names.empty() ? "" : ", ") + spec.name;
  }
  fail_usage("--model '{}' is unknown: expected one of {}", name, names);
}

}  // namespace gpueval
