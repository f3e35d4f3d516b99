// SPDX-License-Identifier: Apache-2.0
// What a network that Keras saved computes, beside what Keras predicted.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "gpueval/engine.h"
#include "gpueval/keras.h"
#include "gpueval/quant.h"
#include "keras/npz.h"

namespace gpueval::test {

// What stands behind an output in the file: softmax over the last extent, or sigmoid.
inline void apply_head(Head head, std::size_t channels, std::vector<float>& values) {
  if (head == Head::kSigmoid) {
    for (float& v : values) v = 1 / (1 + std::exp(-v));
  }
  if (head != Head::kSoftmax) return;
  for (std::size_t row = 0; row < values.size(); row += channels) {
    double sum = 0;
    float most = values[row];
    for (std::size_t c = 0; c < channels; ++c) most = std::max(most, values[row + c]);
    for (std::size_t c = 0; c < channels; ++c) sum += std::exp(double{values[row + c]} - most);
    for (std::size_t c = 0; c < channels; ++c)
      values[row + c] = static_cast<float>(std::exp(double{values[row + c]} - most) / sum);
  }
}

inline double relative_error(const std::vector<float>& got, const std::vector<float>& expected) {
  double difference = 0, sum = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += std::pow(double{got[i]} - double{expected[i]}, 2);
    sum += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(difference / std::max(sum, 1e-30));
}

struct Difference {
  std::string output;
  double relative = 0;  // infinite: of another size
};

// Of each output; golden: in_0, out_0, out_1, ...
inline std::vector<Difference> differences(const KerasNetwork& network, const std::map<std::string, NpyArray>& golden) {
  const NpyArray& input = golden.at("in_0");
  const int n = input.shape.front();
  const auto engine = make_engine("cpu", lower_float(network.graph), {.batch = n});
  OutputBuffers outputs(network.graph, n);
  engine->run(input.values, n, outputs);
  std::vector<Difference> result;
  for (std::size_t i = 0; i < network.graph.outputs.size(); ++i) {
    const NpyArray& expected = golden.at("out_" + std::to_string(i));
    std::vector<float> got(outputs[i].begin(), outputs[i].end());
    double relative = INFINITY;
    if (got.size() == expected.values.size()) {
      apply_head(network.heads[i], static_cast<std::size_t>(expected.shape.back()), got);
      relative = relative_error(got, expected.values);
    }
    result.push_back({network.graph.outputs[i].name, relative});
  }
  return result;
}

inline void expect_predictions(const std::string& file, const std::string& npz) {
  const std::map<std::string, NpyArray> golden = read_npz(npz);
  const KerasNetwork network = import_keras(file);
  EXPECT_FALSE(golden.contains("out_" + std::to_string(network.graph.outputs.size()))) << file;
  for (const auto& [output, relative] : differences(network, golden))
    EXPECT_LE(relative, 1e-5) << file << ": " << output;
}

}  // namespace gpueval::test
