// SPDX-License-Identifier: Apache-2.0
// The description of a model, as it stands in a file of Keras: what hostile JSON makes of the importer, and of the
// comparison with a built-in network.
#include <cstddef>
#include <cstdint>
#include <string>

#include "gpueval/error.h"
#include "keras/importer.h"

namespace {

gpueval::Graph built_in() {
  gpueval::GraphBuilder g("built_in");
  const int x = g.relu("relu", g.input(8, 8, 3));
  return g.finish(
      g.permute("permute", g.reshape("reshape", g.add("add", {x, g.max_pool("pool", x, 1, 1)}), {3, 8, 8}), {1, 2, 0}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gpueval::KerasFile file;
  file.path = "fuzz";
  file.config.assign(reinterpret_cast<const char*>(data), size);
  try {
    gpueval::keras::import_file(file, {.input = {}, .weights = false});
  } catch (const gpueval::Error&) {
  }
  static const gpueval::Graph graph = built_in();
  gpueval::WeightFile weights{.path = "fuzz"};
  weights.config = file.config;
  try {
    gpueval::check_description(graph, weights);
  } catch (const gpueval::Error&) {
  }
  return 0;
}
