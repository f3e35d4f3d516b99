// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/random.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/op_tensor.h"
#include "reference/random_conv.h"

namespace gpueval::cuda {

// Random tensors wherever they may lie, and comparisons. The first difference stays.
class Checker {
 public:
  explicit Checker(Runtime& runtime) : runtime_(runtime) {}

  Runtime& runtime() { return runtime_; }
  Random& random() { return random_; }
  const CheckResult& result() const { return result_; }

  Placement place(int channels) { return placements(channels)[static_cast<std::size_t>(random_.integer(0, 3))]; }
  reference::QuantTensor tensor(DType type, const Shape& shape) {
    reference::QuantTensor tensor(type, shape);
    RandomConv::fill(tensor, random_);
    return tensor;
  }
  // u8 ones with a zero point.
  reference::QuantTensor tensor_with_zero(DType type, const Shape& shape) {
    return with_zero_point(tensor(type, shape), random_);
  }
  int zero_point(DType type) { return random_zero_point(type, random_); }
  OpTensor upload(const reference::QuantTensor& tensor) { return {runtime_, tensor, place(tensor.shape.c)}; }
  OpTensor upload(const std::vector<float>& values, const Shape& shape) {
    return {runtime_, DType::kF32, shape, place(shape.c), bytes_of(values)};
  }
  std::vector<float> floats(const Shape& shape) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < shape.elements(); ++i) {  // ties are frequent
      const bool tie = random_.integer(0, 9) == 0;
      values.push_back(static_cast<float>(tie ? random_.integer(-400, 400) * 0.25 : random_.normal() * 60));
    }
    return values;
  }

  // run(destination) against what the reference made.
  template <typename Run>
  void expect(const reference::QuantTensor& want, std::string_view what, Run&& run) {
    compare(want.dtype, want.shape, want.bytes, want.zero_point, what, run);
  }
  template <typename Run>
  void expect(const std::vector<float>& want, const Shape& shape, std::string_view what, Run&& run) {
    compare(DType::kF32, shape, bytes_of(want), 0, what, run);
  }
  // Values beside the destination.
  void expect_equal(const std::vector<float>& want, const std::vector<float>& got, std::string_view what) {
    const auto [a, b] = std::mismatch(want.begin(), want.end(), got.begin(), got.end());
    if (a == want.end() || !result_.failure.empty()) return;
    result_.failure =
        fmt::format("{}: first difference at {}: expected {:.9g}, found {:.9g}", what, a - want.begin(), *a, *b);
  }

 private:
  template <typename Run>
  void compare(DType type, const Shape& shape, const std::vector<std::uint8_t>& want, int zero_point,
               std::string_view what, Run& run) {
    if (!result_.failure.empty()) return;
    ++result_.cases;
    const std::string name = fmt::format("{} to {} of {}", what, to_string(shape), to_string(type));
    try {
      const OpTensor dst(runtime_, type, shape, place(shape.c));
      DeviceView view = dst.view();
      view.zero_point = zero_point;
      run(view);
      runtime_.synchronize(Stream{});
      const std::vector<std::uint8_t> got = dst.read();
      const auto at =
          static_cast<std::size_t>(std::mismatch(want.begin(), want.end(), got.begin()).first - want.begin());
      if (at == want.size()) return;
      const std::size_t index = at / size_of(type), channels = static_cast<std::size_t>(shape.c);
      result_.failure =
          fmt::format("{}: first difference at pixel {} channel {}: expected {}, found {}", name, index / channels,
                      index % channels, text(type, want, index), text(type, got, index));
    } catch (const Error& error) {
      throw Error(fmt::format("{}: {}", name, error.what()));
    }
  }
  static std::string text(DType type, const std::vector<std::uint8_t>& bytes, std::size_t index) {
    if (type == DType::kF32) return fmt::format("{:.9g}", floats_of(bytes)[index]);
    return type == DType::kS8 ? fmt::format("{}", static_cast<std::int8_t>(bytes[index]))
                              : fmt::format("{}", bytes[index]);
  }

  Runtime& runtime_;
  Random random_{11};
  CheckResult result_;
};

}  // namespace gpueval::cuda
