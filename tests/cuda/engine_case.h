// SPDX-License-Identifier: Apache-2.0
// Whole networks on a device against the CPU engine.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cuda/engine/engine.h"
#include "cuda/runtime/runtime.h"
#include "emulator/emulator.h"
#include "emulator/stream.h"
#include "support/test_networks.h"

namespace gpueval::cuda {

// Parameter: "emu" or "gpu", which skips with the reason where there is none.
class DeviceTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = emulated() ? open_emulator() : open_gpu(0, &why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override {
    emulator::set_deferred(false);
    emulator::set_options({});
  }
  static bool emulated() { return std::strcmp(GetParam(), "emu") == 0; }

  std::unique_ptr<Engine> engine(const Graph& graph, const EngineOptions& options, int lanes = 4) const {
    return make_device_engine(runtime_, GetParam(), graph, options,
                              {.selector = {.forced = options.kernel}, .max_lanes = lanes});
  }

  std::shared_ptr<Runtime> runtime_;
};

struct Tapped {
  std::vector<std::vector<std::uint8_t>> tensors;  // per node, dense
  std::vector<float> logits;
};

inline Tapped run_tapped(Engine& engine, const std::vector<float>& images, int n) {
  Tapped result;
  result.tensors.resize(engine.graph().nodes.size());
  result.logits.resize(static_cast<std::size_t>(n * engine.graph().output_node().shape.elements()));
  engine.run_tapped(images, n, result.logits, [&](int node, const TensorView& view) {
    std::vector<std::uint8_t>& tensor = result.tensors[static_cast<std::size_t>(node)];
    const auto size = static_cast<std::int64_t>(size_of(view.dtype));
    for (std::int64_t p = 0; p < view.shape.pixels(); ++p) {
      const auto* row = static_cast<const std::uint8_t*>(view.data) + p * view.pitch * size;
      tensor.insert(tensor.end(), row, row + view.shape.c * size);
    }
  });
  return result;
}

inline std::vector<float> run(Engine& engine, const std::vector<float>& images, int n) {
  std::vector<float> logits(static_cast<std::size_t>(n * engine.graph().output_node().shape.elements()));
  engine.run(images, n, logits);
  return logits;
}

inline void expect_equal_tensors(const Graph& graph, const Tapped& got, const Tapped& want) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ASSERT_EQ(got.tensors[i].size(), want.tensors[i].size()) << graph.nodes[i].name;
    for (std::size_t at = 0; at < want.tensors[i].size(); ++at) {
      ASSERT_EQ(got.tensors[i][at], want.tensors[i][at]) << graph.nodes[i].name << ", byte " << at;
    }
  }
  EXPECT_EQ(got.logits, want.logits);
}

// |got - want| / |want|; a NaN anywhere gives a NaN, which no comparison accepts.
inline double relative_error(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    error += std::pow(double{got[i]} - want[i], 2);
    norm += std::pow(double{want[i]}, 2);
  }
  return std::sqrt(error / norm);
}

}  // namespace gpueval::cuda
