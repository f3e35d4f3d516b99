// SPDX-License-Identifier: Apache-2.0
// The fields of a result's `accuracy` (docs/result-schema.json), task by task.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "report/result_file.h"
#include "task/bits.h"

namespace gpueval {
namespace {

constexpr std::int64_t kMostJudged = 100'000'000;

double fraction(const JsonFields& json, const std::string& key) {
  const double value = json.number(key);
  if (!(value >= 0 && value <= 1)) json.refuse(key, "a number from 0 to 1");
  return value;
}

std::optional<Interval> read_interval(const JsonFields& json, const std::string& key) {
  if (!json.has(key)) return std::nullopt;
  const nlohmann::json& list = json.json()[key];
  const bool two = list.is_array() && list.size() == 2 && list[0].is_number() && list[1].is_number();
  const Interval interval = two ? Interval{list[0].get<double>(), list[1].get<double>()} : Interval{1, 0};
  if (!(interval.low >= 0 && interval.high <= 1 && interval.low <= interval.high))
    json.refuse(key, "a list of two numbers from 0 to 1, the lower first");
  return interval;
}

// A field that the table shows.
struct Shown {
  const char *field, *name;
  bool always = true;  // false: only where the truth has what it is of
};
constexpr Shown kSegmentation[] = {{"miou", "mIoU"}, {"pixel_accuracy", "pixels"}};
constexpr Shown kDetection[] = {{"ap", "AP"},
                                {"ap50", "AP50"},
                                {"ap75", "AP75"},
                                {"ap_small", "AP small"},
                                {"ap_medium", "AP medium"},
                                {"ap_large", "AP large"},
                                {"ar1", "AR 1"},
                                {"ar10", "AR 10"},
                                {"ar100", "AR 100"},
                                {"ar_small", "AR small"},
                                {"ar_medium", "AR medium"},
                                {"ar_large", "AR large"},
                                {"voc07_ap", "VOC 2007 AP", false},
                                {"voc10_ap", "VOC 2010 AP", false}};

AccuracyNumbers read_metrics(const JsonFields& json, std::span<const Shown> shown) {
  AccuracyNumbers result;
  result.images = json.integer("images", 0, kMostJudged);
  for (const auto& [field, name, always] : shown) {
    const bool absent = always ? json.null(field) : !json.has(field);
    result.metrics.push_back({name, absent ? std::nullopt : std::optional(fraction(json, field))});
  }
  result.ci95 = read_interval(json, std::string(shown.front().field) + "_ci95");
  return result;
}

AccuracyNumbers read_classification(const JsonFields& json) {
  AccuracyNumbers result;
  result.images = json.integer("images", 0, kMostJudged);
  result.top1_count = json.integer("top1_count", 0, result.images);
  const double top1 = fraction(json, "top1");
  result.metrics = {{"top-1", top1}, {"top-5", fraction(json, "top5")}};
  const double exact =
      result.images == 0 ? 0 : static_cast<double>(result.top1_count) / static_cast<double>(result.images);
  if (std::abs(exact - top1) > 1e-9) json.refuse("top1", fmt::format("{}, which its counts give", exact));
  if (!json.has("correct_bits")) return result;
  const auto bits = hex_to_bits(json.text("correct_bits"), static_cast<std::size_t>(result.images));
  if (!bits || std::count(bits->begin(), bits->end(), true) != result.top1_count)
    json.refuse("correct_bits", fmt::format("{} bits, {} of them set", result.images, result.top1_count));
  result.correct = *bits;
  return result;
}

}  // namespace

AccuracyNumbers read_accuracy(const JsonFields& json, const std::string& task) {
  if (task == "segmentation") return read_metrics(json, kSegmentation);
  if (task == "detection") return read_metrics(json, kDetection);
  return read_classification(json);
}

}  // namespace gpueval
