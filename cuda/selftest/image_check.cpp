// SPDX-License-Identifier: Apache-2.0
// Pictures to a network's input: OpenCV's bytes of a bilinear resize, then a table.
#include <cmath>

#include "cuda/selftest/checker.h"

namespace gpueval::cuda {
namespace {

using reference::QuantTensor;

// What a row or a column of the result is mixed of; weights are of 2048.
struct Mixed {
  int first, second, first_weight, second_weight;
};

Mixed mixed(int at, int to, int from, bool column) {
  const auto position = static_cast<float>((at + 0.5) * (1.0 / (static_cast<double>(to) / from)) - 0.5);
  const int first = static_cast<int>(std::floor(position));
  float part = position - static_cast<float>(first);
  if (column && (first < 0 || first >= from - 1)) part = 0;
  const auto weight = [](float x) { return static_cast<int>(std::nearbyintf(x * 2048)); };
  return {std::clamp(first, 0, from - 1), std::clamp(first + 1, 0, from - 1), weight(1 - part), weight(part)};
}

int resized(const QuantTensor& image, const Shape& to, int n, int y, int x, int c) {
  const Shape& from = image.shape;
  if (from.h == to.h && from.w == to.w) return image.at(n, y, x, c);
  if (from.h == 2 * to.h && from.w == 2 * to.w) {
    const int top = image.at(n, 2 * y, 2 * x, c) + image.at(n, 2 * y, 2 * x + 1, c);
    return (top + image.at(n, 2 * y + 1, 2 * x, c) + image.at(n, 2 * y + 1, 2 * x + 1, c) + 2) >> 2;
  }
  const Mixed rows = mixed(y, to.h, from.h, false), columns = mixed(x, to.w, from.w, true);
  const auto along = [&](int row, int weight) {
    const int sum = image.at(n, row, columns.first, c) * columns.first_weight +
                    image.at(n, row, columns.second, c) * columns.second_weight;
    return (weight * (sum >> 4)) >> 16;
  };
  return (along(rows.first, rows.first_weight) + along(rows.second, rows.second_weight) + 2) >> 2;
}

// table: of each channel of the result.
std::vector<float> preprocessed(const QuantTensor& images, const std::vector<float>& table, bool bgr, const Shape& to) {
  std::vector<float> values;
  for (int i = 0; i < to.elements(); ++i) {
    const int c = i % 3, x = i / 3 % to.w, y = i / 3 / to.w % to.h, n = i / 3 / to.w / to.h;
    values.push_back(table[static_cast<std::size_t>(c * 256 + resized(images, to, n, y, x, bgr ? 2 - c : c))]);
  }
  return values;
}

CheckResult check_preprocess(Runtime& runtime, const Ops& ops) {
  constexpr float kScale = 0.5f;
  Checker check(runtime);
  std::vector<float> table;
  for (int i = 0; i < 3 * 256; ++i) table.push_back(static_cast<float>(check.random().uniform(-70, 70)));
  const DeviceBuffer device_table = upload_all(runtime, table);
  const Shape from{2, 12, 10, 3};
  for (const Shape& to : {from, Shape{2, 6, 5, 3}, Shape{2, 6, 7, 3}, Shape{2, 17, 23, 3}, Shape{2, 1, 1, 3}}) {
    for (const bool bgr : {false, true}) {
      const QuantTensor images = check.tensor(DType::kU8, from);
      const OpTensor rgb(runtime, images, {0, 3});
      const std::vector<float> want = preprocessed(images, table, bgr, to);
      const auto run = [&](const DeviceView& out) {
        ops.preprocess(rgb.view(), static_cast<const float*>(device_table.data()), bgr, kScale, out, {});
      };
      check.expect(want, to, "preprocess", run);
      for (const DType type : {DType::kU8, DType::kS8})
        check.expect(reference::quantize(want, to, kScale, type), "preprocess", run);
    }
  }
  return check.result();
}

constexpr OperationCheck kImageChecks[] = {{"preprocess", check_preprocess}};

}  // namespace

std::span<const OperationCheck> image_checks() { return kImageChecks; }

}  // namespace gpueval::cuda
