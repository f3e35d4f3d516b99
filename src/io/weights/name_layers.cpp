// SPDX-License-Identifier: Apache-2.0
#include "io/weights/name_layers.h"

#include <fmt/format.h>

#include <map>

#include "core/json_text.h"
#include "gpueval/error.h"
#include "io/weights/layer_names.h"

namespace gpueval {
namespace {

using Json = nlohmann::json;

// "conv2d_1" -> "stem"
std::map<std::string, std::string> names_of_groups(const Json& model) {
  std::map<std::string, std::string> names;
  const auto config = model.find("config");
  if (config == model.end() || !config->is_object() || !config->contains("layers")) return names;
  std::map<std::string, int> count;
  for (const Json& layer : config->at("layers")) {
    const std::string class_name = layer.at("class_name").get<std::string>();
    const std::string stem = snake_case(class_name.substr(class_name.rfind('>') + 1));  // "my>Swish" is a class Swish
    const int rank = count[stem]++;
    std::string& name = names[rank == 0 ? stem : fmt::format("{}_{}", stem, rank)];
    name = layer.value("name", "");
    if (name.empty()) name = layer.at("config").value("name", "");
  }
  return names;
}

}  // namespace

void name_layers(WeightFile& file) {
  if (file.config.empty()) return;
  try {
    const auto names = names_of_groups(parse_json(file.config, file.path + ": the description of the model"));
    for (WeightLayer& layer : file.layers) {
      if (const auto found = names.find(layer.group); layer.name.empty() && found != names.end()) {
        layer.name = found->second;
      }
    }
  } catch (const Json::exception&) {
    fail("{}: the description of the model is no description that Keras writes; fetch it again", file.path);
  }
}

}  // namespace gpueval
