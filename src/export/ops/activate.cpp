// SPDX-License-Identifier: Apache-2.0
// Opset 17 has most functions; the others are composed of it.
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "export/emitter.h"

namespace gpueval::onnx_export {
namespace {

// Nodes "<layer>/<part>" of the function of one layer; the last one has the layer's name.
class Composer {
 public:
  Composer(Emitter& e, const Node& n) : e_(e), n_(n), x_(e.value(n)) {}
  const std::string& x() const { return x_.name; }
  std::string part(const char* op, const std::string& name, const std::vector<std::string>& inputs) {
    return e_.simple(op, n_, inputs, x_.flat, "/" + name).name;
  }
  Value last(const char* op, const std::vector<std::string>& inputs) { return e_.simple(op, n_, inputs, x_.flat); }
  std::string number(const std::string& name, double value) {
    const auto single = static_cast<float>(value);
    return e_.writer().tensor(n_.name + "/" + name, {}, std::span(&single, 1));
  }
  // One with settings.
  struct Setting {
    const char* name;
    float value;
  };
  Value last(const char* op, const std::vector<Setting>& settings) {
    const std::string out = n_.name + "/output";
    NodeRef node = e_.writer().node(op, n_.name, {x()}, out);
    for (const Setting& setting : settings) node.set(setting.name, setting.value);
    return {out, x_.flat};
  }

 private:
  Emitter& e_;
  const Node& n_;
  Value x_;
};

Value emit_gelu(Composer c) {
  const std::string scaled = c.part("Mul", "scaled", {c.x(), c.number("root_half", std::sqrt(0.5))});
  const std::string sum = c.part("Add", "sum", {c.part("Erf", "erf", {scaled}), c.number("one", 1)});
  return c.last("Mul", {c.part("Mul", "half", {c.x(), c.number("one_half", 0.5)}), sum});
}

Value emit_gelu_tanh(Composer c) {
  const std::string cube = c.part("Pow", "cube", {c.x(), c.number("three", 3)});
  const std::string small = c.part("Mul", "small", {cube, c.number("factor", 0.044715)});
  const std::string inner = c.part("Add", "inner", {c.x(), small});
  const std::string scaled = c.part("Mul", "scaled", {inner, c.number("root", std::sqrt(2 / std::numbers::pi))});
  const std::string sum = c.part("Add", "sum", {c.part("Tanh", "tanh", {scaled}), c.number("one", 1)});
  return c.last("Mul", {c.part("Mul", "half", {c.x(), c.number("one_half", 0.5)}), sum});
}

// x, below beta alpha (x - beta); at most `most`.
Value emit_relu(const Function& f, Composer c) {
  const bool plain = f.alpha == 0 && f.beta == 0;
  if (std::isinf(f.most) && plain) return c.last("Relu", std::vector<std::string>{c.x()});
  if (plain) return c.last("Clip", {c.x(), c.number("least", 0), c.number("most", f.most)});
  if (std::isinf(f.most) && f.beta == 0) return c.last("LeakyRelu", {Composer::Setting{"alpha", f.alpha}});
  const std::string beta = c.number("threshold", f.beta);
  const std::string below = c.part("Mul", "below", {c.part("Sub", "less", {c.x(), beta}), c.number("slope", f.alpha)});
  const std::vector<std::string> choice{c.part("GreaterOrEqual", "above", {c.x(), beta}), c.x(), below};
  if (std::isinf(f.most)) return c.last("Where", choice);
  return c.last("Min", {c.part("Where", "choice", choice), c.number("most", f.most)});
}

Value emit_function(const Function& f, Composer c) {
  const std::vector<std::string> x{c.x()};
  switch (f.kind) {
    case FunctionKind::kSigmoid:
      return c.last("Sigmoid", x);
    case FunctionKind::kTanh:
      return c.last("Tanh", x);
    case FunctionKind::kSilu:
      return c.last("Mul", {c.x(), c.part("Sigmoid", "sigmoid", x)});
    case FunctionKind::kGelu:
      return emit_gelu(c);
    case FunctionKind::kGeluTanh:
      return emit_gelu_tanh(c);
    case FunctionKind::kHardSigmoid:
      return c.last("HardSigmoid", {Composer::Setting{"alpha", f.alpha}, Composer::Setting{"beta", f.beta}});
    case FunctionKind::kHardSilu:
      return c.last("HardSwish", x);
    case FunctionKind::kElu:
      return c.last("Elu", {Composer::Setting{"alpha", f.alpha}});
    case FunctionKind::kSelu:
      return c.last("Selu", {Composer::Setting{"alpha", 1.67326324f}, Composer::Setting{"gamma", 1.05070099f}});
    case FunctionKind::kSoftplus:
      return c.last("Softplus", x);
    case FunctionKind::kSoftsign:
      return c.last("Softsign", x);
    case FunctionKind::kExp:
      return c.last("Exp", x);
    case FunctionKind::kMish:
      return c.last("Mul", {c.x(), c.part("Tanh", "tanh", {c.part("Softplus", "softplus", x)})});
    case FunctionKind::kRelu:
      return emit_relu(f, c);
    case FunctionKind::kAbs:
      return c.last("Abs", x);
    case FunctionKind::kPower:
      return c.last("Pow", {c.x(), c.number("exponent", f.alpha)});
  }
  return {c.x()};
}

}  // namespace

Value emit(const Activate& op, Emitter& e, int index) { return emit_function(op.function, {e, e.node(index)}); }

// Slopes (c, 1, 1) or, of each element, (c, h, w). An integer layer's: b / m.
Value emit(const PRelu&, Emitter& e, int index) {
  const Node& n = e.node(index);
  std::vector<float> alpha;
  if (n.integer) {
    for (std::size_t i = 0; i < n.integer->m.size(); ++i) alpha.push_back(n.integer->b[i] / n.integer->m[i]);
  } else {
    alpha = *n.find(Role::kAlpha)->array.data;
  }
  const Value& x = e.value(n);
  const auto channels = static_cast<std::size_t>(n.shape.c), pixels = alpha.size() / channels;
  if (pixels == 1) return e.simple("PRelu", n, {x.name, e.per_channel(n, "/alpha", alpha, x.flat)}, x.flat);
  std::vector<float> planes(alpha.size());
  for (std::size_t i = 0; i < alpha.size(); ++i) planes[i % channels * pixels + i / channels] = alpha[i];
  const Dims dims{n.shape.c, n.shape.h, n.shape.w};
  return e.simple("PRelu", n, {x.name, e.writer().tensor(n.name + "/alpha", dims, std::span<const float>(planes))},
                  false);
}

}  // namespace gpueval::onnx_export
