// SPDX-License-Identifier: Apache-2.0
// Sums, products and the like of tensors and constants: what merge layers and functions share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keras/layer_call.h"

namespace gpueval::keras {

// a and b have one rank; where an extent of one is 1, it is repeated.
Value combined(LayerCall& call, BinaryKind kind, const Value& a, const Value& b, const std::string& suffix = "");

// All of them, from the first to the last, one at least; what comes between has the suffixes /1, /2, ...
Value folded(LayerCall& call, BinaryKind kind, const std::vector<Value>& values, const std::string& suffix = "");

// A constant as Keras writes it, by the last extent of `value`: a number, a list of that many, or such lists within
// lists of one. nullopt: it is no constant. Unsupported for one of another shape.
std::optional<std::vector<double>> constant_for(const Json& json, const Value& value);

}  // namespace gpueval::keras
