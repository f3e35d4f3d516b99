// SPDX-License-Identifier: Apache-2.0
#include "keras/settings.h"

#include <fmt/format.h>

#include <cmath>

#include "gpueval/tensor.h"

namespace gpueval::keras {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string sides(const Padding& pad) { return fmt::format("{},{},{},{}", pad.top, pad.bottom, pad.left, pad.right); }
std::string number(float value) { return fmt::format("{:.5g}", value); }  // epsilons went through float32 and back

std::string activation_text(const Function& function) {
  std::string name = to_string(function.kind);
  const bool relu = function.kind == FunctionKind::kRelu;
  if (relu && std::isfinite(function.most)) name += number(function.most);
  if (function.alpha != 0) name += (relu ? " with slope " : " of ") + number(function.alpha);
  if (function.beta != 0) name += (relu ? " above " : " and ") + number(function.beta);
  return name;
}

// Empty: it is none.
std::string activation_of(const Op& op) {
  if (const auto* relu = std::get_if<Relu>(&op)) return relu->act == Activation::kRelu6 ? "relu6" : "relu";
  if (const auto* activate = std::get_if<Activate>(&op)) return activation_text(activate->function);
  return "";
}

Settings of_window(const char* size, const Window& window) {
  return {{size, fmt::format("{}x{}", window.kernel_h, window.kernel_w)},
          {"strides", fmt::format("{}x{}", window.stride_h, window.stride_w)},
          {"dilation", fmt::format("{}x{}", window.dilation_h, window.dilation_w)},
          {"padding", sides(window.pad)}};
}

struct OfOp {
  Settings operator()(const Conv2D& op) const {
    Settings settings = of_window("kernel size", op.window);
    settings.emplace_back("groups", std::to_string(op.groups));
    return settings;
  }
  Settings operator()(const DepthwiseConv2D& op) const { return of_window("kernel size", op.window); }
  Settings operator()(const MaxPool& op) const { return of_window("pool size", op.window); }
  Settings operator()(const AvgPool& op) const { return of_window("pool size", op.window); }
  Settings operator()(const BatchNorm& op) const { return {{"epsilon", number(op.eps)}}; }
  Settings operator()(const ZeroPad& op) const { return {{"padding", sides(op.pad)}}; }
  Settings operator()(const Binary& op) const { return {{"operation", to_string(op.kind)}}; }
  template <typename T>
  Settings operator()(const T&) const {
    return {};
  }
};

}  // namespace

std::string kind_of(const Node& node) { return activation_of(node.op).empty() ? op_name(node.op) : "activation"; }

std::string described(const Node& node) {
  const std::string activation = activation_of(node.op);
  return fmt::format("'{}' ({})", node.name, activation.empty() ? op_name(node.op) : activation);
}

std::vector<std::pair<std::string, std::string>> settings_of(const Node& node) {
  Settings settings = std::visit(OfOp{}, node.op);
  if (const std::string activation = activation_of(node.op); !activation.empty()) {
    settings.emplace_back("activation", activation);
  }
  for (const Param& param : node.params) settings.emplace_back(to_string(param.role), shape_string(param.array.shape));
  return settings;
}

}  // namespace gpueval::keras
