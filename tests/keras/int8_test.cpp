// SPDX-License-Identifier: Apache-2.0
// Imported networks in int8: every integer tensor of the CPU's engine is the reference's.
#include <gtest/gtest.h>

#include <utility>

#include "graph/passes.h"
#include "keras/integer_layers.h"
#include "keras/predictions.h"

namespace gpueval {
namespace {

TEST(KerasInt8, EveryIntegerTensorIsTheReferences) {
  for (const char* name : {"k3_layers", "k3_functions", "k3_structure", "tf_layers"}) {
    SCOPED_TRACE(name);
    const std::string path = std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/" + name;
    const KerasNetwork network = import_keras(path + ".keras");
    const std::vector<float> image = read_npz(path + ".npz").at("in_0").values;
    const auto float_engine = make_engine("cpu", lower_float(network.graph), {.batch = 1, .every_node = true});
    CalibrationTable table;
    bool done = false;
    table.range = observe_ranges(
        *float_engine, [&](std::vector<float>& batch, int) { return batch = image, std::exchange(done, true) ? 0 : 1; },
        1);
    const Graph graph = join_dilations(lower_static(network.graph, table, {}), [](const Node& conv) {
      return conv.integer.has_value();
    });  // the engine's own form
    const auto engine = make_engine("cpu", graph, {.batch = 1});
    EXPECT_GT(test::expect_reference(graph, test::run_engine(*engine, image)), 5);
  }
}

}  // namespace
}  // namespace gpueval
