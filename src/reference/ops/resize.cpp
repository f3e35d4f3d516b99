// SPDX-License-Identifier: Apache-2.0
#include "reference/resize.h"

#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

struct Between {
  int lower, upper;
  double fraction;  // of the way from lower to upper
};

Between between(Grid grid, int i, int from, int to) {
  const Position position = reference::position(grid, i, from, to);
  const double at = static_cast<double>(position.numerator) / static_cast<double>(position.denominator);
  const double lower = std::floor(at);
  return {std::clamp(static_cast<int>(lower), 0, from - 1), std::clamp(static_cast<int>(lower) + 1, 0, from - 1),
          at - lower};
}

double mix(double a, double b, double fraction) { return a + (b - a) * fraction; }

}  // namespace

FloatTensor float_reference(const ResizeLinear& op, const FloatCall& call) {
  const FloatTensor& src = call.source();
  FloatTensor dst{call.node().shape, {}};
  for (int y = 0; y < op.h; ++y) {
    const Between h = between(op.grid, y, src.shape.h, op.h);
    for (int x = 0; x < op.w; ++x) {
      const Between w = between(op.grid, x, src.shape.w, op.w);
      for (int c = 0; c < dst.shape.c; ++c) {
        const double above = mix(src.at(h.lower, w.lower, c), src.at(h.lower, w.upper, c), w.fraction);
        const double below = mix(src.at(h.upper, w.lower, c), src.at(h.upper, w.upper, c), w.fraction);
        dst.values.push_back(static_cast<float>(mix(above, below, h.fraction)));
      }
    }
  }
  return dst;
}

}  // namespace gpueval::reference
