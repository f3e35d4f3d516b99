// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "gpueval/report.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

std::string progress_text(const AccuracyProgress& progress) {
  std::string text = fmt::format("{}/{} images", grouped(static_cast<std::int64_t>(progress.done)),
                                 grouped(static_cast<std::int64_t>(progress.total)));
  const double own = static_cast<double>(progress.done - progress.replayed);
  const double rate = progress.seconds > 0 ? own / progress.seconds : 0;
  if (rate > 0) text += fmt::format("  {:.1f} images/s", rate);
  if (progress.task != nullptr) {
    std::string values;
    for (const AccuracyResult& row : progress.rows) {
      if (!progress.task->headline_is_quick(row.samples.size())) break;
      if (const auto value = progress.task->headline(row.samples)) values += fmt::format(" {:.2f}%", 100 * *value);
    }
    if (!values.empty()) text += "  " + progress.task->metric_names().front() + values;
  }
  if (rate > 0) text += "  " + time_text(static_cast<double>(progress.total - progress.done) / rate) + " left";
  return text;
}

std::string progress_text(const SpeedProgress& progress) {
  std::string text = fmt::format("speed {:3.0f}%  images/s", 100 * progress.fraction);
  for (const double rate : progress.images_per_second) text += fmt::format(" {:.1f}", rate);
  return text;
}

}  // namespace gpueval
