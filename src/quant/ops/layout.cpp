// SPDX-License-Identifier: Apache-2.0
// Operations that move bytes.
#include "quant/integer_form.h"

namespace gpueval {

std::optional<IntegerOp> integer_form(const ZeroPad&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const Slice&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const Reshape&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const Permute&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const DepthToSpace&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const SpaceToBatch&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const BatchToSpace&, const IntegerContext&) { return std::nullopt; }
std::optional<IntegerOp> integer_form(const ResizeNearest&, const IntegerContext&) { return std::nullopt; }

}  // namespace gpueval
