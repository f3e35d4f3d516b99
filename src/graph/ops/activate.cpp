// SPDX-License-Identifier: Apache-2.0
// Functions of one number, element by element.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "graph/op_row.h"

namespace gpueval {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double gelu_tanh(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}
// As Keras 3 and TensorFlow have it.
constexpr double kSeluAlpha = 1.6732632423543772, kSeluScale = 1.0507009873554805;

}  // namespace

double apply(const Function& function, double x) {
  const double alpha = function.alpha, beta = function.beta;
  switch (function.kind) {
    case FunctionKind::kSigmoid:
      return sigmoid(x);
    case FunctionKind::kTanh:
      return std::tanh(x);
    case FunctionKind::kSilu:
      return x * sigmoid(x);
    case FunctionKind::kGelu:
      return x / 2 * std::erfc(-x / std::numbers::sqrt2);
    case FunctionKind::kGeluTanh:
      return gelu_tanh(x);
    case FunctionKind::kHardSigmoid:
      return std::clamp(alpha * x + beta, 0.0, 1.0);
    case FunctionKind::kHardSilu:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case FunctionKind::kElu:
      return x > 0 ? x : alpha * std::expm1(x);
    case FunctionKind::kSelu:
      return kSeluScale * (x > 0 ? x : kSeluAlpha * std::expm1(x));
    case FunctionKind::kSoftplus:
      return softplus(x);
    case FunctionKind::kSoftsign:
      return x / (1 + std::abs(x));
    case FunctionKind::kExp:
      return std::exp(x);
    case FunctionKind::kMish:
      return x * std::tanh(softplus(x));
    case FunctionKind::kRelu:
      return std::min(x >= beta ? x : alpha * (x - beta), double{function.most});
    case FunctionKind::kAbs:
      return std::abs(x);
    case FunctionKind::kPower:
      return std::pow(x, alpha);
  }
  return x;
}

bool never_negative(const Function& function) {
  switch (function.kind) {
    case FunctionKind::kSigmoid:
    case FunctionKind::kHardSigmoid:
    case FunctionKind::kSoftplus:
    case FunctionKind::kExp:
    case FunctionKind::kAbs:
      return true;
    case FunctionKind::kRelu:
      return function.alpha == 0 && function.beta >= 0;
    case FunctionKind::kPower:
      return std::fmod(function.alpha, 2) == 0;
    case FunctionKind::kTanh:
    case FunctionKind::kSilu:
    case FunctionKind::kGelu:
    case FunctionKind::kGeluTanh:
    case FunctionKind::kHardSilu:
    case FunctionKind::kElu:
    case FunctionKind::kSelu:
    case FunctionKind::kSoftsign:
    case FunctionKind::kMish:
      return false;
  }
  return false;
}

std::string to_string(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::kSigmoid:
      return "sigmoid";
    case FunctionKind::kTanh:
      return "tanh";
    case FunctionKind::kSilu:
      return "silu";
    case FunctionKind::kGelu:
      return "gelu";
    case FunctionKind::kGeluTanh:
      return "gelu_tanh";
    case FunctionKind::kHardSigmoid:
      return "hard_sigmoid";
    case FunctionKind::kHardSilu:
      return "hard_silu";
    case FunctionKind::kElu:
      return "elu";
    case FunctionKind::kSelu:
      return "selu";
    case FunctionKind::kSoftplus:
      return "softplus";
    case FunctionKind::kSoftsign:
      return "softsign";
    case FunctionKind::kExp:
      return "exp";
    case FunctionKind::kMish:
      return "mish";
    case FunctionKind::kRelu:
      return "relu";
    case FunctionKind::kAbs:
      return "abs";
    case FunctionKind::kPower:
      return "power";
  }
  return "?";
}

Shape output_shape(const Activate&, const Node&, std::span<const Shape> src) { return src[0]; }

bool non_negative(const Activate& op, std::span<const bool> src) {
  const bool keeps_sign = op.function.kind == FunctionKind::kPower ||
                          (op.function.kind == FunctionKind::kRelu && op.function.alpha >= 0 && op.function.beta <= 0);
  return never_negative(op.function) || (keeps_sign && src[0]);
}

Shape output_shape(const PRelu&, const Node& self, std::span<const Shape> src) {
  const std::int64_t alphas = self.find(Role::kAlpha)->array.elements();
  GPUEVAL_CHECK(alphas == src[0].c || alphas == src[0].elements(), "'{}' has {} slopes for {}", self.name, alphas,
                to_string(src[0]));
  return src[0];
}

}  // namespace gpueval
