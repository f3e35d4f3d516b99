// SPDX-License-Identifier: Apache-2.0
// One network of each family of keras.applications, with small pictures: float32 gives Keras's logits, and int8 the
// reference's bits at every level of the CPU's instruction sets and by the kernels of GPUs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "cpu/int8/isa.h"
#include "graph/passes.h"
#include "keras/family.h"
#include "keras/integer_layers.h"
#include "keras/predictions.h"

namespace gpueval {
namespace {

std::string families_folder() { return std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/families/"; }

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(families_folder())) names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

class KerasFamilies : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { family_ = test::read_family(families_folder() + GetParam() + ".zip"); }
  void TearDown() override { unsetenv("GPUEVAL_CPU_ISA"); }

  std::vector<float> picture() const {
    return {family_.pixels.begin(), family_.pixels.begin() + std::ssize(family_.pixels) / family_.pictures};
  }
  Graph int8_graph() const {
    const auto engine = make_engine("cpu", lower_float(family_.network.graph), {.batch = family_.pictures});
    CalibrationTable table;
    bool done = false;
    const auto source = [&](std::vector<float>& batch, int) {
      batch = family_.pixels;
      return std::exchange(done, true) ? 0 : family_.pictures;
    };
    table.range = observe_ranges(*engine, source, family_.pictures);
    return lower_static(family_.network.graph, table, {});
  }

  test::Family family_;
};

TEST_P(KerasFamilies, GiveTheLogitsOfKeras) {
  const auto engine = make_engine("cpu", lower_float(family_.network.graph), {.batch = family_.pictures});
  std::vector<float> logits(family_.logits.size());
  engine->run(family_.pixels, family_.pictures, logits);
  const double error = test::relative_error(logits, family_.logits);
  EXPECT_TRUE(error <= 1e-5) << error;
  RecordProperty("relative_error", std::to_string(error * 1e6) + "e-6");
}

// Whole, as users run it, and layer by layer.
TEST_P(KerasFamilies, AreBitExactAtEveryLevel) {
  const Graph graph = int8_graph();
  reference::NetworkResult checked;
  for (const cpu::Isa isa : cpu::usable_isas()) {
    SCOPED_TRACE(to_string(isa));
    ASSERT_EQ(setenv("GPUEVAL_CPU_ISA", to_string(isa).c_str(), 1), 0);
    const auto engine = make_engine("cpu", graph, {.batch = family_.pictures});
    const reference::NetworkResult result = test::run_engine(*engine, picture());
    EXPECT_GT(test::expect_reference(graph, result, checked), 20);
    std::vector<float> logits(family_.logits.size());
    engine->run(family_.pixels, family_.pictures, logits);
    logits.resize(result.logits.size());
    EXPECT_EQ(logits, result.logits);
    checked = result;
  }
}

TEST_P(KerasFamilies, AreBitExactOnTheEmulator) {
  const Graph whole = int8_graph(), graph = expand_groups(whole);  // the emulator's own form
  const auto emulator = make_engine("emu", whole, {.batch = 1});
  const reference::NetworkResult result = test::run_engine(*emulator, picture());
  const reference::NetworkResult cpu = test::run_engine(*make_engine("cpu", graph, {.batch = 1}), picture());
  EXPECT_GT(test::expect_reference(graph, result, cpu), 20);
  EXPECT_EQ(test::run_engine(*make_engine("cpu", whole, {.batch = 1}), picture()).logits, result.logits);
}

INSTANTIATE_TEST_SUITE_P(Applications, KerasFamilies, testing::ValuesIn(family_names()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace gpueval
