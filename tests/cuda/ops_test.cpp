// SPDX-License-Identifier: Apache-2.0
// The integer operations of cuda/ops/ must give the bits of src/reference/ wherever their tensors lie.
#include <cmath>
#include <limits>

#include "gpueval/error.h"
#include "ops_case.h"
#include "reference/random_conv.h"

namespace gpueval::cuda {
namespace {

using reference::QuantTensor;

constexpr DType kTypes[] = {DType::kU8, DType::kS8};

const struct {
  Shape shape;
  Window window;
} kPools[] = {
    {{1, 1, 1, 1}, {.kernel_h = 1, .kernel_w = 1, .pad = {}}},
    {{2, 13, 12, 3}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {}}},
    {{1, 9, 9, 64}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {0, 1, 0, 1}}},  // SAME
    {{1, 9, 8, 15}, {.kernel_h = 3, .kernel_w = 3, .pad = {1, 1, 1, 1}}},
    {{2, 7, 5, 17}, {.kernel_h = 2, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .pad = {0, 1, 1, 0}}},
    {{1, 5, 6, 728}, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .pad = {1, 1, 1, 1}}},
    {{1, 2, 3, 16}, {.kernel_h = 5, .kernel_w = 5, .pad = {2, 2, 2, 2}}},  // the window is larger than the image
    {{1, 3, 2, 1000}, {.kernel_h = 3, .kernel_w = 2, .pad = {}}},
};

class IntegerOps : public OpsTest {};

TEST_P(IntegerOps, MaxPool) {
  for (const auto& pool : kPools) {
    const auto& shape = pool.shape;
    const auto& window = pool.window;
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        for (const float m : {1.0f, 0.61f}) {
          const QuantTensor x = random_tensor(src, shape);
          const OpTensor in(runtime(), x, random_placement(shape.c));
          expect_result(reference::max_pool(x, window, m, dst), "max_pool",
                        [&](const DeviceView& out) { ops().max_pool(in.view(), window, m, out, {}); });
        }
      }
    }
  }
}

TEST_P(IntegerOps, AvgPool) {
  for (const auto& pool : kPools) {
    const auto& shape = pool.shape;
    const auto& window = pool.window;
    std::vector<float> m;  // exact size: a count beyond the window's reads outside
    for (int i = 1; i <= window.kernel_h * window.kernel_w; ++i) m.push_back(0.93f / static_cast<float>(i));
    const DeviceBuffer factors = upload_all(runtime(), m);
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        const QuantTensor x = with_zero_point(random_tensor(src, shape), random_);
        const OpTensor in(runtime(), x, random_placement(shape.c));
        expect_result(reference::avg_pool(x, window, m, dst, random_zero_point(dst, random_)), "avg_pool",
                      [&](const DeviceView& out) {
                        ops().avg_pool(in.view(), window, static_cast<const float*>(factors.data()), out, {});
                      });
      }
    }
  }
}

TEST_P(IntegerOps, GlobalAvgPool) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 7, 7, 1000}, Shape{1, 13, 13, 67}, Shape{3, 2, 5, 128},
                            Shape{2, 4, 4, 729}, Shape{1, 3, 1, 16}}) {
    for (const DType src : kTypes) {
      const float m = 1.3f / static_cast<float>(shape.h * shape.w);
      const QuantTensor x = with_zero_point(random_tensor(src, shape), random_);
      const OpTensor in(runtime(), x, random_placement(shape.c));
      for (const DType dst : kTypes) {
        for (int order = 0; order < kOrders; ++order) {
          expect_result(reference::global_avg_pool(x, m, dst, random_zero_point(dst, random_)), "global_avg_pool",
                        [&](const DeviceView& out) { ops().global_avg_pool(in.view(), m, out, {}); });
        }
      }
      const OpTensor out(runtime(), DType::kF32, {shape.n, 1, 1, shape.c}, random_placement(shape.c));
      ops().global_avg_pool(in.view(), m, out.view(), {});
      EXPECT_EQ(floats_of(out.read()), reference::global_avg_pool_f32(x, m)) << to_string(shape);
    }
  }
}

constexpr Shape kElements[] = {{1, 1, 1, 1}, {2, 5, 7, 64}, {1, 3, 3, 15}, {3, 2, 2, 17}, {1, 4, 5, 729}};

TEST_P(IntegerOps, Add) {
  for (const Shape& shape : kElements) {
    for (const DType a : kTypes) {
      for (const DType b : kTypes) {
        for (const DType dst : kTypes) {
          const QuantTensor x = random_tensor(a, shape), y = random_tensor(b, shape);
          const OpTensor first(runtime(), x, random_placement(shape.c)),
              second(runtime(), y, random_placement(shape.c));
          for (const float scale : {1.37f, 0.5f, 3e9f}) {
            const float lo = reference::lowest(dst), hi = random_.integer(0, 1) == 1 ? 101.3f : reference::highest(dst);
            expect_result(reference::add(x, 0.5f, y, scale, lo, hi, dst), "add", [&](const DeviceView& out) {
              ops().add(first.view(), 0.5f, second.view(), scale, lo, hi, out, {});
            });
          }
        }
      }
    }
  }
}

TEST_P(IntegerOps, Requantize) {
  for (const Shape& shape : kElements) {
    for (const DType src : kTypes) {
      for (const DType dst : kTypes) {
        const QuantTensor x = random_tensor(src, shape);
        const OpTensor in(runtime(), x, random_placement(shape.c));
        for (const float m : {1.0f, 0.5f, 1e12f}) {  // 0.5: every other value is a tie
          for (const float lo : {reference::lowest(dst), 0.0f}) {
            for (const float hi : {reference::highest(dst), 77.7f}) {
              expect_result(reference::requantize(x, m, lo, hi, dst), "requantize",
                            [&](const DeviceView& out) { ops().requantize(in.view(), m, lo, hi, out, {}); });
            }
          }
        }
      }
    }
  }
}

TEST_P(IntegerOps, Affine) {
  for (const Shape& shape : kElements) {
    std::vector<float> m, b;
    for (int c = 0; c < shape.c; ++c) {
      m.push_back(static_cast<float>((c * 37 + 5) % 9 - 4) * (c % 3 == 0 ? 0.5f : 0.3712f));
      b.push_back(static_cast<float>((c * 53 + 11) % 400 - 200) * 0.5f);
    }
    const DeviceBuffer factors = upload_all(runtime(), m), offsets = upload_all(runtime(), b);
    const auto pointer = [](const DeviceBuffer& buffer) { return static_cast<const float*>(buffer.data()); };
    for (const DType src : kTypes) {
      const QuantTensor x = random_tensor(src, shape);
      const OpTensor in(runtime(), x, random_placement(shape.c));
      for (const DType dst : kTypes) {
        for (const float lo : {reference::lowest(dst), 0.0f}) {
          for (const float hi : {reference::highest(dst), 77.7f}) {
            expect_result(reference::affine(x, m, b, lo, hi, dst), "affine", [&](const DeviceView& out) {
              ops().affine(in.view(), pointer(factors), pointer(offsets), lo, hi, out, {});
            });
          }
        }
      }
      const OpTensor out(runtime(), DType::kF32, shape, random_placement(shape.c));
      ops().affine(in.view(), pointer(factors), pointer(offsets), -30.5f, INFINITY, out.view(), {});
      runtime().synchronize(Stream{});
      EXPECT_EQ(floats_of(out.read()), reference::affine_f32(x, m, b, -30.5f)) << to_string(shape);
    }
  }
}

// Every byte value on every lane of a 16-byte group.
TEST_P(IntegerOps, RequantizeEveryValue) {
  for (const DType type : kTypes) {
    QuantTensor x(type, {1, 16, 16, 32});
    for (std::int64_t i = 0; i < x.shape.elements(); ++i) {
      const int value = static_cast<int>((i / 32 + i * 17) % 255);
      x.set(i, type == DType::kS8 ? value - 127 : value);
    }
    const OpTensor in(runtime(), x, {0, 32});
    const float lo = reference::lowest(type), hi = reference::highest(type);
    expect_result(x, "requantize by 1",
                  [&](const DeviceView& out) { ops().requantize(in.view(), 1.0f, lo, hi, out, {}); });
  }
}

std::vector<float> random_floats(const Shape& shape, Random& random, double spread) {
  std::vector<float> x;
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const bool tie = random.integer(0, 9) == 0;
    x.push_back(static_cast<float>(tie ? random.integer(-400, 400) * 0.25 : random.normal() * spread));
  }
  return x;
}

TEST_P(IntegerOps, QuantizeOneScale) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 5, 7, 3}, Shape{1, 9, 4, 16}, Shape{1, 3, 9, 1001}}) {
    const std::vector<float> x = random_floats(shape, random_, 60);
    const OpTensor in(runtime(), DType::kF32, shape, random_placement(shape.c), bytes_of(x));
    for (const DType dst : kTypes) {
      for (const float scale : {0.5f, 0.37f, 1e-38f}) {
        const DeviceBuffer device_scale = upload_all(runtime(), std::vector<float>{scale});
        expect_result(reference::quantize(x, shape, scale, dst), "quantize", [&](const DeviceView& out) {
          ops().quantize(in.view(), static_cast<const float*>(device_scale.data()), false, out, {});
        });
      }
    }
  }
}

// Next to a tie one wrong bit of the quotient changes the result.
TEST_P(IntegerOps, QuantizeNextToTies) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> scales{1.0f / 127, 6.0f / 255, 1.0f, 3e38f, 1e-30f};
  for (int i = 0; i < 40; ++i) scales.push_back(static_cast<float>(std::exp2(random_.uniform(-70, 70))));
  for (const float scale : scales) {
    std::vector<float> x{0.0f, -0.0f, 1e30f, -1e30f, 3e38f, 1e-40f, std::numeric_limits<float>::min()};
    for (int k = -130; k <= 260; ++k) {
      float near = static_cast<float>((k + 0.5) * scale);
      for (int i = 0; i < 3; ++i) near = std::nextafter(near, -kInfinity);
      for (int i = 0; i < 7; ++i, near = std::nextafter(near, kInfinity)) x.push_back(near);
    }
    const Shape shape{1, 1, 1, static_cast<int>(x.size())};
    const OpTensor in(runtime(), DType::kF32, shape, {0, shape.c}, bytes_of(x));
    const DeviceBuffer device_scale = upload_all(runtime(), std::vector<float>{scale});
    for (const DType dst : kTypes) {
      expect_result(reference::quantize(x, shape, scale, dst), "quantize", [&](const DeviceView& out) {
        ops().quantize(in.view(), static_cast<const float*>(device_scale.data()), false, out, {});
      });
    }
  }
}

TEST_P(IntegerOps, QuantizeAndDequantizeChannels) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 4, 15}, Shape{1, 2, 5, 64}, Shape{1, 3, 3, 730}}) {
    std::vector<float> scales;
    for (int c = 0; c < shape.c; ++c) scales.push_back(static_cast<float>(random_.uniform(0.1, 2)));
    const DeviceBuffer device_scales = upload_all(runtime(), scales);
    const auto* scale = static_cast<const float*>(device_scales.data());
    const std::vector<float> x = random_floats(shape, random_, 60);
    const OpTensor in(runtime(), DType::kF32, shape, random_placement(shape.c), bytes_of(x));
    for (const DType type : kTypes) {
      QuantTensor want(type, shape);
      std::vector<float> back, one;
      for (std::int64_t i = 0; i < shape.elements(); ++i) {
        const float s = scales[static_cast<std::size_t>(i % shape.c)];
        want.set(i, reference::round_clamped(x[static_cast<std::size_t>(i)] / s, reference::lowest(type),
                                             reference::highest(type)));
        back.push_back(s * static_cast<float>(want.at(i)));
        one.push_back(scales[0] * static_cast<float>(want.at(i)));
      }
      expect_result(want, "quantize channels",
                    [&](const DeviceView& out) { ops().quantize(in.view(), scale, true, out, {}); });
      const OpTensor q(runtime(), want, random_placement(shape.c));
      const OpTensor out(runtime(), DType::kF32, shape, random_placement(shape.c));
      ops().dequantize(q.view(), scale, true, out.view(), {});
      EXPECT_EQ(floats_of(out.read()), back) << to_string(shape);
      ops().dequantize(q.view(), scale, false, out.view(), {});
      EXPECT_EQ(floats_of(out.read()), one) << to_string(shape);
    }
  }
}

// Each image has its own scale; one of them is all zero, one has its largest magnitude negative and in the last place.
TEST_P(IntegerOps, QuantizeDynamic) {
  for (const Shape shape : {Shape{1, 1, 1, 1}, Shape{4, 3, 5, 3}, Shape{3, 40, 40, 17}, Shape{2, 1, 1, 2050}}) {
    std::vector<float> x = random_floats(shape, random_, 7);
    const auto image = static_cast<std::size_t>(shape.elements() / shape.n);
    if (shape.n > 1) std::fill_n(x.begin(), image, 0.0f);
    x.back() = -123.456f;
    const float weight_scale = 0.0173f;
    QuantTensor want(DType::kS8, shape);
    std::vector<float> want_scales;
    for (std::size_t i = 0; i < static_cast<std::size_t>(shape.n); ++i) {
      const std::span<const float> values(x.data() + i * image, image);
      const float largest = reference::max_abs(values), scale = largest > 0 ? largest / 127.0f : 1.0f;
      const QuantTensor q = reference::quantize(values, {1, shape.h, shape.w, shape.c}, scale, DType::kS8);
      std::copy(q.bytes.begin(), q.bytes.end(), want.bytes.begin() + static_cast<std::ptrdiff_t>(i * image));
      want_scales.push_back(scale * weight_scale);
    }
    for (int order = 0; order < kOrders; ++order) {
      const OpTensor in(runtime(), DType::kF32, shape, random_placement(shape.c), bytes_of(x));
      const std::vector<float> garbage(static_cast<std::size_t>(shape.n), -7.0f);
      const DeviceBuffer scales = upload_all(runtime(), garbage), scratch = upload_all(runtime(), garbage);
      expect_result(want, "quantize_dynamic", [&](const DeviceView& out) {
        ops().quantize_dynamic(in.view(), weight_scale, out, static_cast<float*>(scales.data()),
                               static_cast<int*>(scratch.data()), {});
      });
      EXPECT_EQ(download_all<float>(runtime(), scales), want_scales) << to_string(shape);
    }
  }
}

TEST_P(IntegerOps, CopyAndFill) {
  for (const DType type : {DType::kU8, DType::kS8, DType::kF32, DType::kF16}) {
    for (const int channels : {1, 3, 4, 16, 17, 48, 728}) {
      for (int i = 0; i < 3; ++i) {
        const Shape from{2, 3, 2, channels}, to{2, 3 + i, 2 + 2 * i, channels};
        const int top = random_.integer(0, i), left = random_.integer(0, 2 * i);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(from.elements()) * size_of(type));
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_.integer(0, 255));
        const OpTensor src(runtime(), type, from, random_placement(channels), bytes);
        const OpTensor dst(runtime(), type, to, random_placement(channels));
        ops().fill(dst.view(), i == 0 ? 0 : 200 + i, {});
        ops().copy(src.view(), dst.view(), top, left, {});
        std::vector<std::uint8_t> want(static_cast<std::size_t>(to.elements()) * size_of(type),
                                       static_cast<std::uint8_t>(i == 0 ? 0 : 200 + i));
        const std::size_t pixel = static_cast<std::size_t>(channels) * size_of(type);
        for (int p = 0; p < from.pixels(); ++p) {
          const int n = p / (from.h * from.w), y = p / from.w % from.h, x = p % from.w;
          const auto at = static_cast<std::size_t>((n * to.h + y + top) * to.w + x + left);
          std::memcpy(&want[at * pixel], &bytes[static_cast<std::size_t>(p) * pixel], pixel);
        }
        EXPECT_EQ(dst.read(), want) << to_string(type) << " " << to_string(from) << " into " << to_string(to) << " at "
                                    << top << "," << left;
      }
    }
  }
}

template <typename Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST_P(IntegerOps, WrongTensorsAreErrorsThatSaySo) {
  const OpTensor a(runtime(), DType::kU8, {1, 4, 4, 16}, {0, 16}), b(runtime(), DType::kU8, {1, 4, 4, 17}, {0, 32});
  const OpTensor f(runtime(), DType::kF32, {1, 4, 4, 16}, {0, 16});
  EXPECT_EQ(error_of([&] { ops().add(a.view(), 1, b.view(), 1, 0, 255, a.view(), {}); }),
            "add: expected a tensor of 1x4x4x16, found 1x4x4x17");
  EXPECT_EQ(error_of([&] { ops().requantize(f.view(), 1, 0, 255, a.view(), {}); }),
            "requantize: expected a tensor of u8 or s8, found f32");
  EXPECT_EQ(error_of([&] { ops().quantize(a.view(), nullptr, false, a.view(), {}); }),
            "quantize: expected a tensor of f32, found u8");
  EXPECT_EQ(error_of([&] { ops().max_pool(a.view(), {.kernel_h = 2, .kernel_w = 2, .pad = {}}, 1, a.view(), {}); }),
            "max_pool: expected a tensor of 1x3x3x16, found 1x4x4x16");
  EXPECT_EQ(error_of([&] { ops().copy(a.view(), a.view(), 1, 0, {}); }),
            "copy: expected a destination that holds 1x4x4x16 of u8 at row 1, column 0, found 1x4x4x16 of u8");
}

INSTANTIATE_TEST_SUITE_P(Device, IntegerOps, testing::Values("emu", "gpu"), op_device);

}  // namespace
}  // namespace gpueval::cuda
