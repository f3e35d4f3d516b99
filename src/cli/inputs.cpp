// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.h"

#include <utility>

#include "cli/lookup.h"
#include "gpueval/models.h"

namespace gpueval::cli {
namespace {

// Weights that would be found for a network whose file is not named.
void add_found_weights(const Options& options, std::vector<Input>& inputs) {
  for (const ModelSpec& spec : models()) {
    const bool asked = options.model.empty() ? options.command == Command::kTable : options.model == spec.name;
    if (!asked || !spec.weight_files || spec.name == "demo") continue;
    for (const double alpha : spec.alphas) {
      if (options.alpha && *options.alpha != alpha) continue;
      if (auto path = find_file(spec.weight_files({.alpha = alpha, .variant = ""}))) {
        inputs.push_back({"the weights", std::move(*path)});
      }
    }
  }
}

}  // namespace

std::vector<Input> inputs_of(const Options& o) {
  std::vector<Input> inputs{{"--data", o.data}, {"--labels", o.labels}, {"--image", o.image}};
  if (o.weights != "random") inputs.push_back({"--weights", o.weights});
  if (o.command != Command::kCalibrate) inputs.push_back({"--calibration-table", o.calibration_table});
  std::erase_if(inputs, [](const Input& input) { return input.path.empty(); });
  if (o.weights.empty()) add_found_weights(o, inputs);
  if (!o.data.empty() || o.demo()) return inputs;
  for (const char* name : {"val224_compressed.pkl", "val224_sample.pkl"}) {
    if (auto path = find_file({name})) inputs.push_back({"the images", std::move(*path)});
  }
  return inputs;
}

}  // namespace gpueval::cli
