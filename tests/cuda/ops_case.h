// SPDX-License-Identifier: Apache-2.0
// Tests of cuda/ops/ on the emulator and on the GPU (skipped there, with the reason, where there is none).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "cuda/selftest/op_tensor.h"
#include "emulator/emulator.h"
#include "reference/reference.h"
#include "support/runtimes.h"

namespace gpueval::cuda {

class OpsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = emulated() ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
  }
  void TearDown() override { emulator::set_options({}); }

  bool emulated() const { return std::strcmp(GetParam(), "emu") == 0; }
  Runtime& runtime() { return *runtime_; }
  // The operations, each time in another of the emulator's orders of execution (a GPU has its own).
  const Ops& ops() {
    using emulator::Schedule;
    constexpr Schedule kSchedules[] = {Schedule::kAscending, Schedule::kDescending, Schedule::kRandom};
    emulator::set_options({.schedule = kSchedules[order_ % 3], .seed = order_ + 1});
    ++order_;
    return ops_of(*runtime_);
  }
  static constexpr int kOrders = 3;

  reference::QuantTensor random_tensor(DType type, const Shape& shape) {
    reference::QuantTensor tensor(type, shape);
    const int low = type == DType::kS8 ? -127 : 0, high = type == DType::kS8 ? 127 : 255;
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      const int kind = random_.integer(0, 7);  // extremes are frequent
      tensor.set(i, kind == 0 ? low : kind == 1 ? high : random_.integer(low, high));
    }
    return tensor;
  }
  Placement random_placement(int channels) {
    return placements(channels)[static_cast<std::size_t>(random_.integer(0, 3))];
  }
  // A destination for `want`, given to run(), then compared with it.
  template <typename Run>
  void expect_result(const reference::QuantTensor& want, const std::string& what, Run&& run) {
    const Placement place = random_placement(want.shape.c);
    const OpTensor dst(runtime(), want.dtype, want.shape, place);
    DeviceView view = dst.view();
    view.zero_point = want.zero_point;
    run(view);
    const reference::QuantTensor got = [&] {
      reference::QuantTensor tensor(want.dtype, want.shape);
      tensor.bytes = dst.read();
      return tensor;
    }();
    for (std::int64_t i = 0; i < want.shape.elements(); ++i) {
      ASSERT_EQ(got.at(i), want.at(i)) << what << " pixel " << i / want.shape.c << " channel " << i % want.shape.c
                                       << " of " << to_string(want.shape) << " " << to_string(want.dtype) << ", offset "
                                       << place.offset << " pitch " << place.pitch;
    }
  }

  Random random_{11};

 private:
  Runtime* runtime_ = nullptr;
  std::uint64_t order_ = 0;
};

inline std::string op_device(const testing::TestParamInfo<const char*>& device) { return device.param; }

}  // namespace gpueval::cuda
