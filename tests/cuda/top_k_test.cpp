// SPDX-License-Identifier: Apache-2.0
// Top-k on a device: classes exactly, ties by lower class; probabilities within the rounding of float32 sums.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "gpueval/error.h"
#include "ops_case.h"

namespace gpueval::cuda {
namespace {

struct TopK {
  std::vector<int> classes;
  std::vector<float> probabilities;
  bool operator==(const TopK&) const = default;
};

class TopKOps : public OpsTest {
 protected:
  TopK run(const std::vector<float>& logits, int n, int k) {
    const DeviceBuffer in = upload_all(runtime(), logits);
    const auto count = static_cast<std::size_t>(n * k);
    const DeviceBuffer classes = upload_all(runtime(), std::vector<int>(count, -5));
    const DeviceBuffer probabilities = upload_all(runtime(), std::vector<float>(count, -5.0f));
    ops().top_k(static_cast<const float*>(in.data()), n, static_cast<int>(logits.size()) / n, k,
                static_cast<int*>(classes.data()), static_cast<float*>(probabilities.data()), {});
    return {download_all<int>(runtime(), classes), download_all<float>(runtime(), probabilities)};
  }
};

std::vector<int> sorted_classes(std::span<const float> logits) {
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  return order;
}

// How far p = exp(x - largest) / sum may be off, relatively, in float32. A difference d = largest - x is rounded, which
// moves exp by d * eps / 2; exp itself is within two units of the last place; a thread adds count / 256 terms and the
// block 5 + 8 more; one division.
double allowed_error(std::span<const float> logits, double largest, double sum, double x) {
  constexpr double kEps = std::numeric_limits<float>::epsilon();
  double mean_difference = 0;  // of the terms of the sum, weighted by them
  for (const double v : logits) mean_difference += (largest - v) * std::exp(v - largest) / sum;
  const double additions = static_cast<double>(logits.size()) / 256 + 1 + 5 + 8;
  return kEps * ((largest - x + mean_difference) / 2 + 2 + 2 + additions / 2 + 0.5) * 1.01;
}

void expect_top_k(const TopK& got, std::span<const float> logits, int n, int k) {
  const std::size_t count = logits.size() / static_cast<std::size_t>(n);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    const std::span<const float> image = logits.subspan(i * count, count);
    const std::vector<int> order = sorted_classes(image);
    const double largest = image[static_cast<std::size_t>(order[0])];
    double sum = 0;
    for (const double v : image) sum += std::exp(v - largest);
    for (std::size_t j = 0; j < static_cast<std::size_t>(k); ++j) {
      const std::size_t at = i * static_cast<std::size_t>(k) + j;
      ASSERT_EQ(got.classes[at], order[j]) << "image " << i << " rank " << j << " of " << count;
      const double x = image[static_cast<std::size_t>(order[j])], want = std::exp(x - largest) / sum;
      // Below the smallest normal number spacing is absolute.
      const double allowed = allowed_error(image, largest, sum, x) * want + std::numeric_limits<float>::min();
      ASSERT_TRUE(std::fabs(got.probabilities[at] - want) <= allowed)
          << got.probabilities[at] << ", expected " << want << " +- " << allowed << ": image " << i << " rank " << j;
    }
  }
}

TEST_P(TopKOps, RandomLogits) {
  const struct {
    int n, classes, k;
  } kCases[] = {{1, 1, 1}, {3, 2, 2}, {2, 16, 16}, {1, 17, 5}, {2, 255, 5}, {1, 256, 1}, {3, 1000, 5}, {1, 1025, 16}};
  for (const auto& [n, classes, k] : kCases) {
    for (const double spread : {0.01, 3.0, 40.0}) {
      std::vector<float> logits;
      for (int i = 0; i < n * classes; ++i) logits.push_back(static_cast<float>(random_.normal() * spread));
      const TopK first = run(logits, n, k);
      expect_top_k(first, logits, n, k);
      for (int order = 1; order < kOrders; ++order) EXPECT_EQ(run(logits, n, k), first) << "another order";
    }
  }
}

TEST_P(TopKOps, TiesGoToTheLowerClass) {
  std::vector<float> logits;
  for (int i = 0; i < 2000; ++i) logits.push_back(static_cast<float>(random_.integer(-1, 1)));
  logits[999] = -0.0f;
  expect_top_k(run(logits, 2, 16), logits, 2, 16);
  const std::vector<float> equal(700, -3.5f);
  expect_top_k(run(equal, 1, 16), equal, 1, 16);
}

TEST_P(TopKOps, LargeLogitsDoNotOverflow) {
  const std::vector<float> logits{3e38f, -3e38f, 3e38f, 1.0f, 1e4f, -1e4f};
  const TopK got = run(logits, 1, 3);
  EXPECT_EQ(got.classes, (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(got.probabilities, (std::vector<float>{0.5f, 0.5f, 0.0f}));
}

TEST_P(TopKOps, NanRanksLast) {
  const std::vector<float> logits{std::numeric_limits<float>::quiet_NaN(), 1.0f, -2.0f, 5.0f};
  EXPECT_EQ(run(logits, 1, 4).classes, (std::vector<int>{3, 1, 2, 0}));
}

TEST_P(TopKOps, MoreThanThereAreIsAnError) {
  EXPECT_THROW(run({1.0f, 2.0f}, 1, 3), Error);
  EXPECT_THROW(run(std::vector<float>(100), 1, 17), Error);
}

INSTANTIATE_TEST_SUITE_P(Device, TopKOps, testing::Values("emu", "gpu"), op_device);

}  // namespace
}  // namespace gpueval::cuda
