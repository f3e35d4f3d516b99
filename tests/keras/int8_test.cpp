// SPDX-License-Identifier: Apache-2.0
// Imported networks in int8: every integer tensor of the CPU's engine is the reference's, made of the engine's own
// inputs of that layer, so that what is left in float32 does not blur it.
#include <gtest/gtest.h>

#include <utility>

#include "keras/predictions.h"
#include "reference/network.h"

namespace gpueval {
namespace {

// Dense copies of the engine's tensors.
reference::NetworkResult run_engine(const Graph& graph, const std::vector<float>& image) {
  reference::NetworkResult result;
  result.tensors.resize(graph.nodes.size());
  result.floats.resize(graph.nodes.size());
  const auto engine = make_engine("cpu", graph, {.batch = 1});
  OutputBuffers outputs(graph, 1);
  engine->run_tapped(image, 1, outputs, [&](int index, const TensorView& view) {
    const auto i = static_cast<std::size_t>(index);
    const bool is_float = view.dtype == DType::kF32;
    result.floats[i].shape = view.shape;
    if (!is_float) result.tensors[i] = {view.dtype, view.shape};
    for (std::int64_t p = 0; p < view.shape.pixels(); ++p) {
      for (int c = 0; c < view.shape.c; ++c) {
        const std::int64_t at = p * view.pitch + c;
        if (is_float) {
          result.floats[i].values.push_back(static_cast<const float*>(view.data)[at]);
        } else {
          result.tensors[i].bytes[static_cast<std::size_t>(p * view.shape.c + c)] =
              static_cast<const std::uint8_t*>(view.data)[at];
        }
      }
    }
  });
  return result;
}

int integer_layers(const Graph& graph, const std::vector<float>& image) {
  const reference::NetworkResult engine = run_engine(graph, image);
  int compared = 0;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.type.dtype == DType::kF32) continue;
    reference::NetworkResult expected = engine;
    reference::run_node(graph, static_cast<int>(i), expected);
    EXPECT_EQ(engine.tensors[i].bytes, expected.tensors[i].bytes) << node.name;
    ++compared;
  }
  return compared;
}

TEST(KerasInt8, EveryIntegerTensorIsTheReferences) {
  for (const char* name : {"k3_layers", "k3_functions", "k3_structure", "tf_layers"}) {
    SCOPED_TRACE(name);
    const std::string path = std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/" + name;
    const KerasNetwork network = import_keras(path + ".keras");
    const std::vector<float> image = read_npz(path + ".npz").at("in_0").values;
    const auto engine = make_engine("cpu", lower_float(network.graph), {.batch = 1});
    CalibrationTable table;
    bool done = false;
    table.range = observe_ranges(
        *engine, [&](std::vector<float>& batch, int) { return batch = image, std::exchange(done, true) ? 0 : 1; }, 1);
    EXPECT_GT(integer_layers(lower_static(network.graph, table, {}), image), 5);
  }
}

}  // namespace
}  // namespace gpueval
