// SPDX-License-Identifier: Apache-2.0
#include "io/weights/layer_names.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace gpueval {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Length of text without a trailing "<separator><digits>"; text.size() if there is none.
std::size_t without_number(std::string_view text, char separator) {
  std::size_t end = text.size();
  while (end > 0 && is_digit(text[end - 1])) --end;
  return end < text.size() && end > 1 && text[end - 1] == separator ? end - 1 : text.size();
}

}  // namespace

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::pair<std::string, int> split_number(const std::string& name) {
  const std::size_t stem = without_number(name, '_');
  int number = 0;
  if (stem < name.size()) {
    const char* end = name.data() + name.size();
    if (std::from_chars(name.data() + stem + 1, end, number).ec != std::errc{}) return {name, 0};
  }
  return {name.substr(0, stem), number};
}

std::string snake_case(const std::string& name) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i], after = i + 1 < name.size() ? name[i + 1] : '\0';
    if (upper(c) && i > 0 && (lower(name[i - 1]) || lower(after))) out += '_';
    out += upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::string normalized_name(std::string_view name) {
  std::string result(name);
  std::replace(result.begin(), result.end(), '/', '_');
  return result;
}

std::optional<AutoName> parse_auto_name(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kClasses{{
      {"conv2d", "Conv2D"},
      {"convolution2d", "Conv2D"},
      {"depthwise_conv2d", "DepthwiseConv2D"},
      {"depthwiseconv2d", "DepthwiseConv2D"},
      {"separable_conv2d", "SeparableConv2D"},
      {"separableconv2d", "SeparableConv2D"},
      {"separableconvolution2d", "SeparableConv2D"},
      {"batch_normalization", "BatchNorm"},
      {"batchnormalization", "BatchNorm"},
      {"dense", "Dense"},
  }};
  const auto [stem, number] = split_number(name);
  for (const auto& [class_name, op] : kClasses) {
    if (stem == class_name) return AutoName{std::string(op), number};
  }
  return std::nullopt;
}

std::optional<Role> parse_role(std::string_view weight_name) {
  static constexpr std::array<std::pair<std::string_view, Role>, 12> kEndings{{
      {"depthwise_kernel", Role::kDepthwiseKernel},  // before "kernel", which it ends with
      {"pointwise_kernel", Role::kPointwiseKernel},
      {"kernel", Role::kKernel},
      {"W", Role::kKernel},
      {"bias", Role::kBias},
      {"b", Role::kBias},
      {"gamma", Role::kGamma},
      {"beta", Role::kBeta},
      {"moving_mean", Role::kMean},
      {"running_mean", Role::kMean},
      {"moving_variance", Role::kVariance},
      {"running_std", Role::kVariance},
  }};
  weight_name = weight_name.substr(0, without_number(weight_name, ':'));
  for (const std::string_view name : {weight_name, weight_name.substr(0, without_number(weight_name, '_'))}) {
    for (const auto& [ending, role] : kEndings) {
      if (!name.ends_with(ending)) continue;
      const std::string_view before = name.substr(0, name.size() - ending.size());
      if (before.empty() || before.back() == '/' || before.back() == '_') return role;
    }
  }
  return std::nullopt;
}

}  // namespace gpueval
