// SPDX-License-Identifier: Apache-2.0
// Operations that look at all channels of a pixel, or at more.
#include <algorithm>
#include <cmath>

#include "reference/op_reference.h"

namespace gpueval::reference {
namespace {

// Of what is normalized together.
struct Moments {
  double mean = 0, variance = 0, mean_square = 0, sum_square = 0;
};

Moments moments_of(const std::vector<double>& x) {
  Moments result;
  const auto count = static_cast<double>(x.size());
  for (const double value : x) {
    result.mean += value / count;
    result.sum_square += value * value;
  }
  for (const double value : x) result.variance += (value - result.mean) * (value - result.mean) / count;
  result.mean_square = result.sum_square / count;
  return result;
}

double normalized(const Normalize& op, const Moments& of, double x) {
  const double eps = op.eps;
  switch (op.kind) {
    case NormalizeKind::kLayer:
    case NormalizeKind::kGroup:
      return (x - of.mean) / std::sqrt(of.variance + eps);
    case NormalizeKind::kRms:
      return x / std::sqrt(of.mean_square + eps);
    case NormalizeKind::kL2:
      return x / std::sqrt(std::max(of.sum_square, eps));
  }
  return x;
}

struct Reduction {
  double sum = 0, most = -INFINITY, least = INFINITY;
  int count = 0;
  void take(double x) {
    sum += x;
    most = std::max(most, x);
    least = std::min(least, x);
    ++count;
  }
  double result(ReduceKind kind) const {
    switch (kind) {
      case ReduceKind::kMean:
        return sum / count;
      case ReduceKind::kSum:
        return sum;
      case ReduceKind::kMaximum:
        return most;
      case ReduceKind::kMinimum:
        return least;
    }
    return 0;
  }
};

}  // namespace

FloatTensor float_reference(const Softmax&, const FloatCall& call) {
  const FloatTensor& src = call.source();
  FloatTensor dst{src.shape, {}};
  const auto channels = static_cast<std::size_t>(src.shape.c);
  for (std::size_t pixel = 0; pixel < src.values.size(); pixel += channels) {
    const auto x = std::span(src.values).subspan(pixel, channels);
    const double most = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float value : x) sum += std::exp(value - most);
    for (const float value : x) dst.values.push_back(static_cast<float>(std::exp(value - most) / sum));
  }
  return dst;
}

FloatTensor float_reference(const Normalize& op, const FloatCall& call) {
  const FloatTensor& src = call.source();
  const Param *gamma = call.node().find(Role::kGamma), *beta = call.node().find(Role::kBeta);
  const auto channels = static_cast<std::size_t>(src.shape.c), groups = static_cast<std::size_t>(op.groups);
  const auto set_of = [&](std::size_t i) {
    return op.kind == NormalizeKind::kGroup ? i % channels / (channels / groups) : i / channels;
  };
  std::vector<std::vector<double>> sets(op.kind == NormalizeKind::kGroup ? groups : src.values.size() / channels);
  for (std::size_t i = 0; i < src.values.size(); ++i) sets[set_of(i)].push_back(src.values[i]);
  std::vector<Moments> moments;
  for (const std::vector<double>& set : sets) moments.push_back(moments_of(set));
  FloatTensor dst{src.shape, {}};
  for (std::size_t i = 0; i < src.values.size(); ++i) {
    double v = normalized(op, moments[set_of(i)], src.values[i]);
    if (gamma != nullptr) v *= (*gamma->array.data)[i % channels];
    if (beta != nullptr) v += (*beta->array.data)[i % channels];
    dst.values.push_back(static_cast<float>(v));
  }
  return dst;
}

FloatTensor float_reference(const Reduce& op, const FloatCall& call) {
  const FloatTensor& src = call.source();
  const Shape& out = call.node().shape;
  std::vector<Reduction> sums(static_cast<std::size_t>(out.elements()));
  for (int h = 0; h < src.shape.h; ++h) {
    for (int w = 0; w < src.shape.w; ++w) {
      for (int c = 0; c < src.shape.c; ++c) {
        const int y = op.h ? 0 : h, x = op.w ? 0 : w, k = op.c ? 0 : c;
        sums[static_cast<std::size_t>((y * out.w + x) * out.c + k)].take(src.at(h, w, c));
      }
    }
  }
  FloatTensor dst{out, {}};
  for (const Reduction& sum : sums) dst.values.push_back(static_cast<float>(sum.result(op.kind)));
  return dst;
}

}  // namespace gpueval::reference
