// SPDX-License-Identifier: Apache-2.0
// Operations that move elements, of (N, c, h, w), as chains of ONNX's.
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "export/emitter.h"
#include "graph/moves.h"

namespace gpueval::onnx_export {
namespace {

// Nodes one behind the other; the last one has the layer's name. Lists of whole numbers become initializers.
class Chain {
 public:
  Chain(Emitter& e, const Node& n, std::string value) : e_(e), n_(n), value_(std::move(value)) {}

  Chain& reshape(const Dims& dims) { return next("Reshape", {numbers("dims", dims)}); }
  Chain& transpose(const Dims& order) {
    const std::string from = begin();
    e_.writer().node("Transpose", name_, {from}, value_).set("perm", order);
    return *this;
  }
  Chain& pad(const Dims& amounts) { return next("Pad", {numbers("pads", amounts)}); }
  // Of the axes behind the batch, from `first` on.
  Chain& slice(std::int64_t first, const Dims& starts, const Dims& ends, const Dims& steps) {
    Dims axes;
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(first + static_cast<std::int64_t>(i));
    return next("Slice",
                {numbers("starts", starts), numbers("ends", ends), numbers("axes", axes), numbers("steps", steps)});
  }
  // Rows and columns [top, top + h) x [left, left + w).
  Chain& crop(std::int64_t top, std::int64_t left, std::int64_t h, std::int64_t w) {
    return slice(2, {top, left}, {top + h, left + w}, {1, 1});
  }
  Chain& depth_to_space(std::int64_t block) {
    const std::string from = begin();
    e_.writer().node("DepthToSpace", name_, {from}, value_).set("blocksize", block).set("mode", "DCR");
    return *this;
  }
  Chain& gather(std::int64_t axis, const Dims& indices) {
    const std::string list = numbers("indices", indices), from = begin();
    e_.writer().node("Gather", name_, {from, list}, value_).set("axis", axis);
    return *this;
  }
  // By whole factors: what ONNX computes is then what Grid says.
  Chain& resize(std::int64_t factor_h, std::int64_t factor_w, bool linear, Grid grid) {
    const std::array<float, 4> factors{1, 1, static_cast<float>(factor_h), static_cast<float>(factor_w)};
    const std::string list = e_.writer().tensor(list_name("scales"), {4}, std::span<const float>(factors));
    const std::string from = begin();
    const bool half = linear && grid == Grid::kHalfPixel;
    NodeRef node = e_.writer().node("Resize", name_, {from, "", list}, value_);
    node.set("coordinate_transformation_mode", half ? "half_pixel" : "asymmetric");
    node.set("mode", linear ? "linear" : "nearest");
    if (!linear) node.set("nearest_mode", "floor");
    return *this;
  }
  // Rows (from the left) or columns (from the right) times a matrix.
  Chain& multiply(bool from_left, const Dims& dims, std::span<const float> values) {
    const std::string matrix = e_.writer().tensor(list_name("matrix"), dims, values);
    const std::string from = begin();
    e_.writer().node("MatMul", name_, from_left ? std::vector{matrix, from} : std::vector{from, matrix}, value_);
    return *this;
  }

  Value done(bool flat = false) const { return {value_, flat}; }

 private:
  std::string list_name(const char* what) const { return n_.name + "/" + what + " " + std::to_string(count_ + 1); }
  std::string numbers(const char* what, const Dims& values) {
    return e_.writer().tensor(list_name(what), {static_cast<std::int64_t>(values.size())}, std::span(values));
  }
  // Names the next node, which reads what is returned.
  std::string begin() {
    ++count_;
    name_ = count_ == 1 ? n_.name : n_.name + "/" + std::to_string(count_);
    return std::exchange(value_, name_ + "/output");
  }
  Chain& next(const char* op, std::vector<std::string> lists) {
    lists.insert(lists.begin(), begin());
    e_.writer().node(op, name_, lists, value_);
    return *this;
  }

  Emitter& e_;
  const Node& n_;
  std::string name_, value_;
  int count_ = 0;
};

Chain chain(Emitter& e, const Node& n) { return {e, n, e.map(n)}; }

}  // namespace

// Behind the last element, where it is counted down to 0: any number below -extent.
Value emit(const Slice& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const auto end = [](int begin, int step, int size) {
    const int last = begin + step * (size - 1);
    return std::int64_t{step > 0 ? last + 1 : last > 0 ? last - 1 : -(1 << 30)};
  };
  return chain(e, n)
      .slice(1, {op.begin.c, op.begin.h, op.begin.w},
             {end(op.begin.c, op.step.c, op.size.c), end(op.begin.h, op.step.h, op.size.h),
              end(op.begin.w, op.step.w, op.size.w)},
             {op.step.c, op.step.h, op.step.w})
      .done();
}

// In the order (h, w, c).
Value emit(const Reshape& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const bool from_pixel = e.source(n).shape.pixels() == 1, to_pixel = n.shape.pixels() == 1;
  Chain nodes(e, n, e.value(n).name);
  if (!from_pixel) nodes.transpose({0, 2, 3, 1});
  if (to_pixel) return nodes.reshape({0, op.size.c}).done(true);
  return nodes.reshape({0, op.size.h, op.size.w, op.size.c}).transpose({0, 3, 1, 2}).done();
}

Value emit(const Permute& op, Emitter& e, int index) {
  constexpr std::array<std::int64_t, 3> kAxes{2, 3, 1};  // of h, w and c
  const auto axis = [&](int extent) { return kAxes.at(static_cast<std::size_t>(extent)); };
  return chain(e, e.node(index)).transpose({0, axis(op.order.c), axis(op.order.h), axis(op.order.w)}).done();
}

Value emit(const DepthToSpace& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Shape& src = e.source(n).shape;
  const std::int64_t c = n.shape.c, h = op.block_h, w = op.block_w;
  Chain nodes = chain(e, n);
  if (h == w) {
    nodes.depth_to_space(h);
  } else {
    nodes.reshape({0, h, w, c, src.h, src.w}).transpose({0, 3, 4, 1, 5, 2}).reshape({0, c, src.h * h, src.w * w});
  }
  if (op.crop != Padding{}) nodes.crop(op.crop.top, op.crop.left, n.shape.h, n.shape.w);
  return nodes.done();
}

Value emit(const SpaceToBatch& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Shape& src = e.source(n).shape;
  const std::int64_t pictures = std::int64_t{op.rate_h} * op.rate_w, c = n.shape.c, w = n.shape.w;
  const std::int64_t h = n.shape.h / pictures - op.gap;
  const std::int64_t bottom = h * op.rate_h - src.h - op.pad.top, right = w * op.rate_w - src.w - op.pad.left;
  return chain(e, n)
      .pad({0, 0, op.pad.top, op.pad.left, 0, 0, bottom, right})
      .reshape({0, c, h, op.rate_h, w, op.rate_w})
      .transpose({0, 1, 3, 5, 2, 4})
      .reshape({0, c * pictures, h, w})
      .pad({0, 0, 0, 0, 0, 0, op.gap, 0})
      .reshape({0, c, n.shape.h, w})
      .done();
}

Value emit(const BatchToSpace& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Shape& src = e.source(n).shape;
  const std::int64_t pictures = std::int64_t{op.rate_h} * op.rate_w, c = n.shape.c;
  const std::int64_t h = (op.h + op.rate_h - 1) / op.rate_h, w = (op.w + op.rate_w - 1) / op.rate_w;
  const std::int64_t rows = pictures * (h + op.gap);
  return chain(e, n)
      .pad({0, 0, 0, 0, 0, 0, rows - src.h, 0})  // or cut
      .reshape({0, c * pictures, h + op.gap, src.w})
      .crop(0, 0, h, w)
      .reshape({0, c, op.rate_h, op.rate_w, h, w})
      .transpose({0, 1, 4, 2, 5, 3})
      .reshape({0, c, h * op.rate_h, w * op.rate_w})
      .crop(0, 0, op.h, op.w)
      .done();
}

namespace {

// Whether the grid's formula is that of ONNX's Resize by these whole factors.
bool by_whole_factors(const Shape& src, const Shape& dst, Grid grid) {
  return dst.h % src.h == 0 && dst.w % src.w == 0 && grid != Grid::kAligned;
}

// One row a row of the result (or, transposed, a column a column): how much of each of the source's it takes.
std::vector<float> mixture(const std::vector<Between>& sources, int from, bool transposed) {
  const std::size_t count = sources.size(), width = static_cast<std::size_t>(from);
  std::vector<float> matrix(count * width, 0.0f);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = [&](std::int32_t source) -> float& {
      const auto k = static_cast<std::size_t>(source);
      return matrix[transposed ? k * count + i : i * width + k];
    };
    at(sources[i].lower) += 1 - sources[i].fraction;
    at(sources[i].upper) += sources[i].fraction;
  }
  return matrix;
}

}  // namespace

Value emit(const ResizeNearest& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Shape& src = e.source(n).shape;
  Chain nodes = chain(e, n);
  if (by_whole_factors(src, n.shape, op.grid)) {
    return nodes.resize(op.h / src.h, op.w / src.w, false, op.grid).done();
  }
  Dims rows, columns;
  const std::vector<PixelSource> sources = pixel_sources(op, src, n.shape);
  for (int y = 0; y < op.h; ++y) rows.push_back(sources[static_cast<std::size_t>(y * op.w)].pixel / src.w);
  for (int x = 0; x < op.w; ++x) columns.push_back(sources[static_cast<std::size_t>(x)].pixel % src.w);
  return nodes.gather(2, rows).gather(3, columns).done();
}

Value emit(const ResizeLinear& op, Emitter& e, int index) {
  const Node& n = e.node(index);
  const Shape& src = e.source(n).shape;
  Chain nodes = chain(e, n);
  if (by_whole_factors(src, n.shape, op.grid)) {
    return nodes.resize(op.h / src.h, op.w / src.w, true, op.grid).done();
  }
  const std::vector<float> columns = mixture(linear_sources(op.grid, src.w, op.w), src.w, true),
                           rows = mixture(linear_sources(op.grid, src.h, op.h), src.h, false);
  return nodes.multiply(false, {src.w, op.w}, columns).multiply(true, {op.h, src.h}, rows).done();
}

}  // namespace gpueval::onnx_export
