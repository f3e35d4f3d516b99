// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "gpueval/error.h"
#include "gpueval/preprocessing.h"

namespace gpueval {
namespace {

constexpr std::pair<Normalization::Kind, std::string_view> kNames[] = {
    {Normalization::kNone, "none"},   {Normalization::kTf, "tf"},     {Normalization::kCaffe, "caffe"},
    {Normalization::kTorch, "torch"}, {Normalization::kUnit, "unit"},
};
constexpr Normalization::Channels kCaffeMean = {123.68f, 116.779f, 103.939f};  // R, G, B
constexpr Normalization::Channels kTorchMean = {0.485f, 0.456f, 0.406f}, kTorchDeviation = {0.229f, 0.224f, 0.225f};

float value_of(const Normalization& normalization, std::size_t channel, float x) {
  switch (normalization.kind()) {
    case Normalization::kTf:
      return x / 127.5f - 1.0f;
    case Normalization::kCaffe:
      return x - kCaffeMean[channel];
    case Normalization::kTorch:
      return (x / 255.0f - kTorchMean[channel]) / kTorchDeviation[channel];
    case Normalization::kUnit:
      return x / 255.0f;
    case Normalization::kMeanStd:
      return (x - normalization.mean()[channel]) / normalization.deviation()[channel];
    case Normalization::kNone:
      break;
  }
  return x;
}

std::string list(const Normalization::Channels& values) {
  return fmt::format("{},{},{}", values[0], values[1], values[2]);
}

[[noreturn]] void refuse(const std::string& text) {
  fail_usage(
      "unknown normalization '{}': expected none, tf, caffe, torch, unit, mean=M,M,M:std=S,S,S or mean=M:std=S, with "
      ":bgr behind it for blue first",
      text);
}

constexpr std::string_view kBgr = ":bgr";

struct List {
  Normalization::Channels values{};
  bool one = false;  // number, for every channel
};

// "1,2.5,3" or "1" at the beginning of rest, which is moved behind it.
List take_list(std::string_view& rest, const std::string& text) {
  List list;
  auto& values = list.values;
  for (std::size_t i = 0; i < 3; ++i) {
    if (i == 1 && !rest.starts_with(',')) {
      values = {values[0], values[0], values[0]};
      list.one = true;
      break;
    }
    if (i > 0) {
      if (!rest.starts_with(',')) refuse(text);
      rest.remove_prefix(1);
    }
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), values[i]);
    if (error == std::errc::result_out_of_range) {
      fail_usage("normalization '{}': mean and std must be numbers that float32 can hold", text);
    }
    if (error != std::errc()) refuse(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  }
  return list;
}

}  // namespace

Normalization Normalization::mean_std(const Channels& mean, const Channels& deviation) {
  Normalization result(kMeanStd);
  result.mean_ = mean;
  result.deviation_ = deviation;
  for (std::size_t c = 0; c < 3; ++c) {
    if (!std::isfinite(mean[c]) || !std::isfinite(deviation[c])) {
      fail_usage("normalization '{}': mean and std must be finite numbers", to_string(result));
    }
    if (!(deviation[c] >= 1)) {
      fail_usage(
          "normalization '{}': std must be at least 1, as pixels are 0 to 255; means and deviations of pixels that are "
          "0 "
          "to 1 are to be multiplied by 255",
          to_string(result));
    }
    if (!std::isfinite(value_of(result, c, 0)) || !std::isfinite(value_of(result, c, 255))) {
      fail_usage("normalization '{}': the result is beyond float32", to_string(result));
    }
  }
  return result;
}

Normalization Normalization::in_bgr() const {
  if (kind_ == kCaffe) fail_usage("normalization caffe:bgr: caffe is B, G, R already");
  Normalization result = *this;
  result.bgr_ = true;
  return result;
}

Normalization parse_normalization(const std::string& text) {
  if (text.ends_with(kBgr)) {
    const std::string colors = text.substr(0, text.size() - kBgr.size());
    if (colors.ends_with(kBgr)) refuse(text);
    return parse_normalization(colors).in_bgr();
  }
  for (const auto& [kind, name] : kNames) {
    if (text == name) return kind;
  }
  constexpr std::string_view kMean = "mean=", kDeviation = ":std=";
  std::string_view rest = text;
  if (!rest.starts_with(kMean)) refuse(text);
  rest.remove_prefix(kMean.size());
  const List mean = take_list(rest, text);
  if (!rest.starts_with(kDeviation)) refuse(text);
  rest.remove_prefix(kDeviation.size());
  const List deviation = take_list(rest, text);
  if (!rest.empty() || mean.one != deviation.one) refuse(text);
  if (mean.one) return Normalization::mean_std(mean.values[0], deviation.values[0]);
  return Normalization::mean_std(mean.values, deviation.values);
}

std::string to_string(const Normalization& normalization) {
  const std::string_view order = normalization.bgr() ? kBgr : "";
  for (const auto& [kind, name] : kNames) {
    if (normalization.kind() == kind) return fmt::format("{}{}", name, kind == Normalization::kCaffe ? "" : order);
  }
  if (normalization.same()) {
    return fmt::format("mean={}:std={}{}", normalization.mean()[0], normalization.deviation()[0], order);
  }
  return fmt::format("mean={}:std={}{}", list(normalization.mean()), list(normalization.deviation()), order);
}

std::string formula(const Normalization& normalization, int channels) {
  if (channels != 3 && channels != 1) return "as they are";
  const char* what = channels == 1 ? "grey" : normalization.bgr() ? "B, G, R" : "R, G, B";
  // Three numbers, in the order of `what`.
  const auto numbers = [&normalization](Normalization::Channels values) {
    if (normalization.bgr()) std::swap(values[0], values[2]);
    return list(values);
  };
  switch (normalization.kind()) {
    case Normalization::kTf:
      return fmt::format("{} as x / 127.5 - 1", what);
    case Normalization::kCaffe:
      return "B, G, R minus (103.939, 116.779, 123.68)";
    case Normalization::kTorch:
      return fmt::format("{} as (x / 255 - ({})) / ({})", what,
                         normalization.bgr() ? "0.406, 0.456, 0.485" : "0.485, 0.456, 0.406",
                         normalization.bgr() ? "0.225, 0.224, 0.229" : "0.229, 0.224, 0.225");
    case Normalization::kUnit:
      return fmt::format("{} as x / 255", what);
    case Normalization::kMeanStd:
      if (normalization.same()) {
        return fmt::format("{} as (x - {}) / {}", what, normalization.mean()[0], normalization.deviation()[0]);
      }
      return fmt::format("{} as (x - ({})) / ({})", what, numbers(normalization.mean()),
                         numbers(normalization.deviation()));
    case Normalization::kNone:
      break;
  }
  return fmt::format("{} from 0 to 255", what);
}

Normalization Normalization::mean_std(float mean, float deviation) {
  Normalization result = mean_std({mean, mean, mean}, {deviation, deviation, deviation});
  result.same_ = true;
  return result;
}

PixelTable pixel_table(const Normalization& normalization) {
  PixelTable table{.bgr = normalization.bgr()};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t v = 0; v < 256; ++v) {
      table.values[c][v] = value_of(normalization, table.bgr ? 2 - c : c, static_cast<float>(v));
    }
  }
  return table;
}

}  // namespace gpueval
