// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/op_row.h"

namespace gpueval {

std::string to_string(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd:
      return "add";
    case BinaryKind::kSubtract:
      return "subtract";
    case BinaryKind::kMultiply:
      return "multiply";
    case BinaryKind::kMaximum:
      return "maximum";
    case BinaryKind::kMinimum:
      return "minimum";
  }
  return "?";
}

Shape output_shape(const Binary& op, const Node& self, std::span<const Shape> src) {
  GPUEVAL_CHECK(src.size() == 2, "'{}' has {} sources", self.name, src.size());
  const Shape &a = src[0], &b = src[1];
  const auto fits = [](int x, int y) { return x == y || x == 1 || y == 1; };
  GPUEVAL_CHECK(fits(a.h, b.h) && fits(a.w, b.w) && fits(a.c, b.c), "'{}': {} of {} and {}", self.name,
                to_string(op.kind), to_string(a), to_string(b));
  return {1, std::max(a.h, b.h), std::max(a.w, b.w), std::max(a.c, b.c)};
}

bool non_negative(const Binary& op, std::span<const bool> src) {
  switch (op.kind) {
    case BinaryKind::kAdd:
    case BinaryKind::kMultiply:
    case BinaryKind::kMinimum:
      return src[0] && src[1];
    case BinaryKind::kMaximum:
      return src[0] || src[1];
    case BinaryKind::kSubtract:
      return false;
  }
  return false;
}

}  // namespace gpueval
