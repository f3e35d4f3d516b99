// SPDX-License-Identifier: Apache-2.0
// Operations that move elements, and linear resizing of numbers whose results are exact, wherever the tensors may lie.
#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "core/random.h"
#include "cuda/selftest/check.h"
#include "cuda/selftest/float_case.h"
#include "cuda/selftest/op_tensor.h"
#include "graph/op_row.h"
#include "reference/float_ops.h"

namespace gpueval::cuda {
namespace {

struct Problem {
  Shape src;
  Op op;
};

std::vector<std::uint8_t> stored(const std::vector<float>& values, DType type) {
  if (type == DType::kF32) return bytes_of(values);
  std::vector<std::uint8_t> bytes;
  for (const float value : values) {
    const auto bits = type == DType::kF16 ? emu::to_half(value).bits : static_cast<std::uint16_t>(value);
    bytes.push_back(static_cast<std::uint8_t>(bits));
    if (type == DType::kF16) bytes.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  return bytes;
}

class MoveChecker {
 public:
  explicit MoveChecker(Runtime& runtime) : runtime_(runtime) {}
  const CheckResult& result() const { return result_; }
  Runtime& runtime() { return runtime_; }

  // Of two images. run(operation, source, destination).
  template <typename Run>
  void check(const char* name, const Problem& problem, DType type, Run&& run) {
    if (!result_.failure.empty()) return;
    ++result_.cases;
    Shape shape;
    std::vector<float> x, want;
    for (int image = 0; image < 2; ++image) {
      std::vector<float> values;
      for (std::int64_t i = 0; i < problem.src.elements(); ++i) {
        values.push_back(static_cast<float>(random_.integer(0, 60)));
      }
      const reference::FloatTensor made = reference_of(problem, values);
      shape = made.shape;
      x.insert(x.end(), values.begin(), values.end());
      want.insert(want.end(), made.values.begin(), made.values.end());
    }
    Shape from = problem.src;
    from.n = shape.n = 2;
    const OpTensor src(runtime_, type, from, place(from.c), stored(x, type)),
        dst(runtime_, type, shape, place(shape.c));
    run(src.view(), dst.view());
    runtime_.synchronize(Stream{});
    compare(stored(want, type), dst.read(),
            fmt::format("{} of {} to {} of {}", name, to_string(from), to_string(shape), to_string(type)),
            static_cast<std::size_t>(shape.c), size_of(type));
  }

 private:
  static reference::FloatTensor reference_of(const Problem& problem, const std::vector<float>& values) {
    Graph graph{"one", {{.name = "src", .op = Input{}, .shape = problem.src}}, {}};
    graph.nodes.push_back({.name = "dst", .op = problem.op, .inputs = {0}});
    graph.nodes[1].shape = output_shape(graph, graph.nodes[1]);
    const reference::FloatTensor src{problem.src, values};
    const reference::FloatTensor* const inputs[] = {&src};
    return reference::float_node(graph, 1, inputs);
  }
  Placement place(int channels) { return placements(channels)[static_cast<std::size_t>(random_.integer(0, 3))]; }
  void compare(const std::vector<std::uint8_t>& want, const std::vector<std::uint8_t>& got, const std::string& what,
               std::size_t channels, std::size_t element) {
    const auto at = static_cast<std::size_t>(std::mismatch(want.begin(), want.end(), got.begin()).first - want.begin());
    if (at == want.size()) return;
    result_.failure = fmt::format("{}: first difference at pixel {} channel {}: expected byte {}, found {}", what,
                                  at / element / channels, at / element % channels, want[at], got[at]);
  }

  Runtime& runtime_;
  Random random_{17};
  CheckResult result_;
};

constexpr DType kTypes[] = {DType::kU8, DType::kF16, DType::kF32};

template <typename T, typename Run>
CheckResult check_all(Runtime& runtime, const char* name, const std::vector<std::pair<Shape, T>>& problems, Run&& run) {
  MoveChecker checker(runtime);
  for (const auto& problem : problems) {
    for (const DType type : kTypes) {
      checker.check(name, {problem.first, problem.second}, type,
                    [&](const DeviceView& src, const DeviceView& dst) { run(problem.second, src, dst); });
    }
  }
  return checker.result();
}

template <typename T>
CheckResult check_pixels(Runtime& runtime, const Ops& ops, const std::vector<std::pair<Shape, T>>& problems) {
  return check_all(runtime, "move_pixels", problems, [&](const T& op, const DeviceView& src, const DeviceView& dst) {
    const DeviceBuffer sources = upload_all(runtime, pixel_sources(op, src.shape, dst.shape));
    ops.move_pixels(src, static_cast<const PixelSource*>(sources.data()), dst, {});
    runtime.synchronize(Stream{});
  });
}

// Several checks under one name.
CheckResult all_of(std::initializer_list<CheckResult> results) {
  CheckResult sum;
  for (const CheckResult& result : results) {
    sum.cases += result.cases;
    if (sum.failure.empty()) sum.failure = result.failure;
  }
  return sum;
}

CheckResult check_move_pixels(Runtime& runtime, const Ops& ops) {
  return all_of({check_pixels<DepthToSpace>(
                     runtime, ops,
                     {{{1, 3, 2, 24}, {2, 3, {1, 0, 0, 2}}}, {{1, 4, 5, 64}, {2, 2, {}}}, {{1, 1, 2, 12}, {4, 1, {}}}}),
                 check_pixels<SpaceToBatch>(runtime, ops,
                                            {{{1, 7, 5, 3}, {.rate_h = 2, .rate_w = 3, .pad = {1, 0, 2, 0}, .gap = 1}},
                                             {{1, 6, 4, 32}, {.rate_h = 4, .gap = 2}}}),
                 check_pixels<BatchToSpace>(runtime, ops,
                                            {{{1, 11, 2, 17}, {.rate_h = 2, .rate_w = 2, .gap = 1, .h = 3, .w = 3}},
                                             {{1, 8, 3, 16}, {.rate_h = 2, .gap = 1, .h = 5, .w = 3}}}),
                 check_pixels<ResizeNearest>(runtime, ops,
                                             {{{1, 5, 4, 4}, {9, 3, Grid::kHalfPixel}},
                                              {{1, 3, 3, 48}, {7, 6, Grid::kAligned}},
                                              {{1, 3, 7, 1}, {8, 5, Grid::kAsymmetric}}})});
}

template <typename T>
CheckResult check_elements(Runtime& runtime, const Ops& ops, const std::vector<std::pair<Shape, T>>& problems) {
  return check_all(runtime, "move_elements", problems, [&](const T& op, const DeviceView& src, const DeviceView& dst) {
    ops.move_elements(src, element_steps(op, src.shape, src.pitch), dst, {});
  });
}

CheckResult check_move_elements(Runtime& runtime, const Ops& ops) {
  return all_of(
      {check_elements<Slice>(runtime, ops,
                             {{{1, 7, 5, 48}, {.begin = {1, 4, 16}, .step = {2, -1, 1}, .size = {3, 4, 32}}},
                              {{1, 4, 3, 19}, {.begin = {0, 0, 18}, .step = {1, 1, -3}, .size = {4, 3, 6}}},
                              {{1, 3, 3, 21}, {.begin = {0, 0, 3}, .size = {3, 3, 16}}}}),
       check_elements<Permute>(
           runtime, ops, {{{1, 4, 3, 16}, {{1, 0, 2}}}, {{1, 5, 3, 7}, {{2, 0, 1}}}, {{1, 2, 16, 3}, {{0, 2, 1}}}})});
}

CheckResult check_reshape(Runtime& runtime, const Ops& ops) {
  return check_all<Reshape>(
      runtime, "reshape",
      {{{1, 4, 3, 16}, {{1, 2, 96}}},
       {{1, 4, 3, 20}, {{2, 8, 15}}},
       {{1, 1, 1, 96}, {{3, 2, 16}}},
       {{1, 5, 3, 16}, {{16, 3, 5}}}},
      [&](const Reshape&, const DeviceView& src, const DeviceView& dst) { ops.reshape(src, dst, {}); });
}

// Halves and quarters of whole numbers.
CheckResult check_resize_linear(Runtime& runtime, const Ops& ops) {
  MoveChecker checker(runtime);
  const std::pair<Shape, ResizeLinear> problems[] = {{{1, 3, 5, 4}, {6, 10, Grid::kHalfPixel}},
                                                     {{1, 3, 2, 17}, {5, 3, Grid::kAligned}},
                                                     {{1, 4, 3, 64}, {8, 6, Grid::kAsymmetric}},
                                                     {{1, 4, 6, 1}, {2, 3, Grid::kHalfPixel}}};
  for (const auto& problem : problems) {
    for (const DType type : {DType::kF32, DType::kF16}) {
      checker.check("resize_linear", {problem.first, problem.second}, type,
                    [&](const DeviceView& src, const DeviceView& dst) {
                      const Grid grid = problem.second.grid;
                      const DeviceBuffer rows = upload_all(runtime, linear_sources(grid, src.shape.h, dst.shape.h)),
                                         columns = upload_all(runtime, linear_sources(grid, src.shape.w, dst.shape.w));
                      ops.resize_linear(src, static_cast<const Between*>(rows.data()),
                                        static_cast<const Between*>(columns.data()), dst, {});
                      runtime.synchronize(Stream{});
                    });
    }
  }
  return checker.result();
}

constexpr OperationCheck kChecks[] = {{"move_pixels", check_move_pixels},
                                      {"move_elements", check_move_elements},
                                      {"reshape", check_reshape},
                                      {"resize_linear", check_resize_linear}};

}  // namespace

std::span<const OperationCheck> move_checks() { return kChecks; }

}  // namespace gpueval::cuda
