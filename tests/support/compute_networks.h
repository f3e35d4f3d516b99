// SPDX-License-Identifier: Apache-2.0
// Small networks of functions, slopes, operations of two tensors, softmax, normalizations and reductions.
#pragma once

#include <string>
#include <vector>

#include "support/test_networks.h"

namespace gpueval::test {

inline const Function kFunctions[] = {
    {FunctionKind::kSigmoid},  {FunctionKind::kTanh},
    {FunctionKind::kSilu},     {FunctionKind::kGelu},
    {FunctionKind::kGeluTanh}, {.kind = FunctionKind::kHardSigmoid, .alpha = 0.2f, .beta = 0.5f},
    {FunctionKind::kHardSilu}, {.kind = FunctionKind::kElu, .alpha = 0.7f},
    {FunctionKind::kSelu},     {FunctionKind::kSoftplus},
    {FunctionKind::kSoftsign}, {FunctionKind::kExp},
    {FunctionKind::kMish},     {.kind = FunctionKind::kRelu, .alpha = 0.1f, .beta = 0.25f, .most = 1.5f},
    {FunctionKind::kAbs},      {.kind = FunctionKind::kPower, .alpha = 2.0f},
};

// Each function behind one convolution, all written into one concat; and some that convolutions without padding read.
inline Graph functions() {
  GraphBuilder g("functions");
  const int x = g.conv2d("stem", g.input(7, 6, 3), 5, 3, 3, {.pad = Pad::kSame});
  std::vector<int> results;
  for (const Function& function : kFunctions) {
    results.push_back(g.activate(to_string(function.kind), x, function));
    // its own scale, behind a u8 tensor
    if (never_negative(function))
      results.push_back(g.activate("root_" + to_string(function.kind), results.back(), {FunctionKind::kPower, 0.5f}));
  }
  const int wide = g.activate("wide", g.conv2d("widen", x, 12, 1, 1, {}), {FunctionKind::kHardSilu});
  results.push_back(g.conv2d("narrow", wide, 7, 1, 1, {}));
  const int each = g.activate("each", g.depthwise_conv2d("single", x, 1, {}), {FunctionKind::kGelu});
  results.push_back(g.relu("positive", g.depthwise_conv2d("scaled", each, 1, {})));
  return g.finish(g.conv2d("logits", g.concat("all", results), 3, 1, 1, {}));
}

// Sums, products and the like of tensors that differ in any extent, also with one 1x1 map for all pixels
// (squeeze and excite).
inline Graph tensor_pairs() {
  GraphBuilder g("pairs");
  const int image = g.input(6, 5, 3);
  const int map = g.conv2d("stem", image, 19, 3, 3, {.pad = Pad::kSame});
  const int positive = g.relu("positive", g.conv2d("second", image, 19, 3, 3, {.pad = Pad::kSame}));
  const int gate =
      g.activate("gate", g.conv2d("squeezed", g.global_avg_pool("mean", map), 19, 1, 1, {}), {FunctionKind::kSigmoid});
  const int spatial = g.conv2d("spatial", positive, 1, 1, 1, {});
  const int row = g.reduce("row", positive, {.kind = ReduceKind::kMaximum, .h = true});
  std::vector<int> results{g.prelu("prelu", map), g.prelu("prelu_each", map, false)};
  for (const BinaryKind kind :
       {BinaryKind::kAdd, BinaryKind::kSubtract, BinaryKind::kMultiply, BinaryKind::kMaximum, BinaryKind::kMinimum}) {
    int number = 0;
    const auto add = [&](int a, int b) {
      results.push_back(g.binary(to_string(kind) + std::to_string(number++), kind, {a, b}));
    };
    add(map, positive);
    add(map, gate);
    add(gate, positive);
    add(map, spatial);
    add(spatial, map);
    add(spatial, gate);  // each is repeated
    add(row, map);
  }
  const int all = g.concat("all", results);
  return g.finish(g.conv2d("logits", all, 3, 1, 1, {}));
}

// What has no int8 form, at sizes that are no multiple of anything.
inline Graph reductions() {
  GraphBuilder g("reductions");
  int x = g.conv2d("stem", g.input(6, 5, 3), 70, 3, 3, {.pad = Pad::kSame});
  std::vector<int> results{g.softmax("softmax", x)};
  for (const NormalizeKind kind : {NormalizeKind::kLayer, NormalizeKind::kRms, NormalizeKind::kL2}) {
    results.push_back(g.normalize("normalize" + std::to_string(static_cast<int>(kind)), x, {.kind = kind},
                                  kind != NormalizeKind::kL2, kind == NormalizeKind::kLayer));
  }
  for (const int groups : {1, 7, 70}) {
    results.push_back(g.normalize("groups" + std::to_string(groups), x,
                                  {.kind = NormalizeKind::kGroup, .eps = 1e-5f, .groups = groups}));
  }
  const ReduceKind kinds[] = {ReduceKind::kMean, ReduceKind::kSum, ReduceKind::kMaximum, ReduceKind::kMinimum};
  for (const ReduceKind kind : kinds) {
    for (int axes = 1; axes < 8; ++axes) {
      const std::string name = "reduce" + std::to_string(static_cast<int>(kind)) + std::to_string(axes);
      const int part =
          g.reduce(name, x, {.kind = kind, .h = (axes & 1) != 0, .w = (axes & 2) != 0, .c = (axes & 4) != 0});
      results.push_back(g.binary("with_" + name, BinaryKind::kMultiply, {x, part}));
    }
  }
  x = g.conv2d("logits", g.concat("all", results), 3, 1, 1, {});
  return g.finish(g.reduce("means", x, {.kind = ReduceKind::kMean, .h = true, .w = true}));
}

}  // namespace gpueval::test
