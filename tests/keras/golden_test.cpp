// SPDX-License-Identifier: Apache-2.0
// An output for every class of layer and every function, of both generations: tests/golden/keras/make.py.
#include <gtest/gtest.h>

#include "keras/predictions.h"

namespace gpueval {
namespace {

std::string golden(const std::string& name) { return std::string(GPUEVAL_SOURCE_DIR) + "/tests/golden/keras/" + name; }

TEST(KerasGolden, EveryLayerGivesWhatKeras3Predicted) {
  test::expect_predictions(golden("k3_layers.keras"), golden("k3_layers.npz"));
}

TEST(KerasGolden, EveryLayerGivesWhatTfKerasPredicted) {
  test::expect_predictions(golden("tf_layers.keras"), golden("tf_layers.npz"));
}

TEST(KerasGolden, EveryFunctionGivesWhatKerasPredicted) {
  test::expect_predictions(golden("k3_functions.keras"), golden("k3_functions.npz"));
  test::expect_predictions(golden("tf_functions.h5"), golden("tf_functions.npz"));
}

TEST(KerasGolden, NestedAndSharedLayersGiveWhatKerasPredicted) {
  for (const std::string generation : {"k3", "tf"}) {
    for (const char* ending : {".keras", ".h5"}) {
      test::expect_predictions(golden(generation + "_structure" + ending), golden(generation + "_structure.npz"));
    }
  }
}

}  // namespace
}  // namespace gpueval
