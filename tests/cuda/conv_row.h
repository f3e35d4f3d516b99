// SPDX-License-Identifier: Apache-2.0
// Tests of every row of cuda/conv/kernels.inc, on the emulator and on the GPU (there named gpu_*; skipped, with the
// reason, where there is none).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "cuda/runtime/runtime.h"
#include "cuda/runtime/tables.h"
#include "cuda/selftest/conv_case.h"
#include "emulator/emulator.h"
#include "emulator/stream.h"
#include "support/runtimes.h"

namespace gpueval::cuda {

struct RowParam {
  std::string device;  // "emu" or "gpu"
  std::string kernel;
};
inline void PrintTo(const RowParam& row, std::ostream* out) { *out << row.device << " " << row.kernel; }

template <typename Wanted>
std::vector<RowParam> rows_where(const Wanted& wanted) {
  std::vector<RowParam> rows;
  for (const char* device : {"emu", "gpu"}) {
    for (const ConvKernel& kernel : emu::conv_kernels()) {
      if (wanted(kernel)) rows.push_back({device, kernel.name});
    }
  }
  return rows;
}
inline std::vector<RowParam> all_rows() {
  return rows_where([](const ConvKernel&) { return true; });
}
inline std::string row_name(const testing::TestParamInfo<RowParam>& row) {
  return row.param.device + "_" + row.param.kernel;
}

// Pools, odd and usual: padding on all, one and no side, gaps, windows larger than the stride, long and wide ones.
inline const std::vector<Window>& test_pools() {
  static const std::vector<Window> pools{{3, 3, 2, 2, {1, 1, 1, 1}},
                                         {3, 3, 2, 2},
                                         {2, 2, 3, 3, {0, 1, 1, 0}},
                                         {3, 3, 1, 1, {1, 1, 1, 1}},
                                         {2, 3, 2, 1, {1, 0, 0, 2}},
                                         {5, 4, 3, 2, {2, 2, 3, 0}},
                                         {1, 1, 1, 1},
                                         {1, 2, 2, 2}};
  return pools;
}
// Options that the kernel's kind of problems allows: rows that pool get a pool, which depends on the seed and gives at
// least a pixel, and what they never have is left out.
inline CaseOptions options_for(const ConvKernel& kernel, const ConvDesc& desc, CaseOptions options) {
  if (!kernel.pools) return options;
  options.residual.reset();
  if (options.dst == DType::kF32) options.dst = DType::kS8;
  const std::vector<Window>& pools = test_pools();
  for (std::size_t i = 0; i <= pools.size() && !options.pool; ++i) {
    const Window& pool = pools[(options.seed + i) % pools.size()];
    if (pool.out_h(desc.p()) > 0 && pool.out_w(desc.q()) > 0) options.pool = pool;
  }
  return options;
}

class ConvRow : public testing::TestWithParam<RowParam> {
 protected:
  void SetUp() override {
    std::string why;
    runtime_ = GetParam().device == "emu" ? &emu_runtime() : gpu_runtime(&why);
    if (runtime_ == nullptr) GTEST_SKIP() << why;
    for (const ConvKernel& kernel : conv_kernels_of(*runtime_)) {
      if (kernel.name == GetParam().kernel) kernel_ = &kernel;
    }
    ASSERT_NE(kernel_, nullptr) << "not in the device's table";
    if (!kernel_->runs_on(runtime_->properties().sm)) {
      GTEST_SKIP() << runtime_->properties().name << " has compute capability x 10 " << runtime_->properties().sm
                   << ", the kernel needs " << kernel_->min_sm << " to " << kernel_->max_sm;
    }
  }
  void TearDown() override {
    emulator::set_deferred(false);
    emulator::set_options({});
  }

  const ConvKernel& kernel() const { return *kernel_; }
  bool emulated() const { return GetParam().device == "emu"; }

  // The emulator's six orders of execution: three schedules, asynchronous copies and products late or early. No effect
  // on a GPU.
  static constexpr int kOrders = 6;
  static void set_order(int order, std::uint64_t seed) {
    using emulator::Schedule;
    constexpr Schedule kSchedules[] = {Schedule::kAscending, Schedule::kDescending, Schedule::kRandom};
    const bool late = order % kOrders < 3;
    // Copies late and products early show operands that are not there yet, the other way round those overwritten.
    emulator::set_options(
        {.schedule = kSchedules[order % 3], .late_copies = late, .late_products = !late, .seed = seed});
  }
  // The emulator may be a GPU of any size: split-depth kernels cut differently.
  int multiprocessors(std::uint64_t seed) const {
    constexpr int kCounts[] = {132, 1, 20};
    return emulated() ? kCounts[seed / kOrders % 3] : runtime_->properties().multiprocessors;
  }

  // False if the kernel does not do this problem.
  bool expect_exact(const ConvDesc& desc, const CaseOptions& wanted) {
    const CaseOptions options = options_for(*kernel_, desc, wanted);
    if (!kernel_->does(problem_of(desc, options))) return false;
    set_order(static_cast<int>(options.seed % kOrders), options.seed);
    const ConvCase c(desc, options);
    expect_exact_in_this_order(c, c.expected());
    return true;
  }
  void expect_exact_in_this_order(const ConvCase& c, const std::vector<std::uint8_t>& expected) {
    const int count = multiprocessors(c.options.seed);
    const bool overlaps = runtime_->properties().sm >= 90 && c.options.seed % 5 < 2;
    if (emulated()) emulator::set_deferred(overlaps);  // else it begins nothing early
    const ConvCase::Result result = c.run(*runtime_, *kernel_, count, overlaps);
    EXPECT_EQ(c.compare(result.dense, expected), "") << kernel_->name << " " << c.describe();
    EXPECT_EQ(result.fault, "") << kernel_->name << " " << c.describe() << " multiprocessors=" << count;
  }
  ConvCase make_case(const ConvDesc& desc, const CaseOptions& options) const {
    return {desc, options_for(*kernel_, desc, options)};
  }
  // The output where no reference is needed.
  std::vector<std::uint8_t> output(const ConvCase& c) {
    const ConvCase::Result result = c.run(*runtime_, *kernel_, multiprocessors(c.options.seed));
    EXPECT_EQ(result.fault, "") << kernel_->name << " " << c.describe();
    return result.dense;
  }

  Runtime* runtime_ = nullptr;
  const ConvKernel* kernel_ = nullptr;
};

}  // namespace gpueval::cuda
