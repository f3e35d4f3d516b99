// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "report/markup.h"
#include "report/svg_axis.h"
#include "report/svg_chart.h"
#include "report/text_table.h"

namespace gpueval {
namespace {

constexpr double kWidth = 860, kLabelWidth = 210, kTextWidth = 70, kRow = 16;
constexpr std::size_t kLabelCharacters = 32;

std::string row_label(const std::string& label, double y) {
  return fmt::format("<text x=\"{}\" y=\"{:.1f}\" class=\"end\"><title>{}</title>{}</text>", kLabelWidth - 8, y,
                     escaped(label), escaped(shortened_path(label, kLabelCharacters)));
}

}  // namespace

std::string bar_chart(const std::vector<Bar>& bars, int color, double largest) {
  if (bars.empty()) return "";
  double least = 0;
  for (const Bar& bar : bars) {
    largest = std::max(largest, bar.value);
    least = std::min(least, bar.value);
  }
  const double span = largest > least ? largest - least : 1;
  const double unit = (kWidth - kLabelWidth - kTextWidth) / span, zero = kLabelWidth - least * unit;
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" class=\"bars\">\n", kWidth,
                                kRow * static_cast<double>(bars.size()) + 4);
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& bar = bars[i];
    const double y = kRow * static_cast<double>(i) + 2, width = std::max(1.0, std::abs(bar.value) * unit);
    const double x = bar.value < 0 ? zero - width : zero;
    svg += row_label(bar.label, y + 11.5);
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" class=\"c{}\"/><text x=\"{:.1f}\" "
        "y=\"{:.1f}\">{}</text>\n",
        x, y + 1, width, kRow - 4, color % 8, std::max(x + width, zero) + 6, y + 11.5, escaped(bar.text));
  }
  return svg + "</svg>\n";
}

std::string latency_chart(const std::vector<LatencyBox>& boxes) {
  if (boxes.empty()) return "";
  constexpr double kBoxRow = 38;
  double high = 0;
  for (const LatencyBox& box : boxes) high = std::max(high, box.p99);
  const double bottom = kBoxRow * static_cast<double>(boxes.size()) + 6;
  const Scale scale = Scale::linear(0, high, kLabelWidth, kWidth - 130);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", kWidth, bottom + 40);
  for (const double tick : scale.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} 0V{1:.0f}\"/><text x=\"{0:.1f}\" y=\"{2:.0f}\" class=\"mid\">{3:g}</text>\n",
        scale.pixel(tick), bottom, bottom + 16, tick);
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"mid title\">milliseconds of one batch</text>\n",
                     (kLabelWidth + kWidth - 130) / 2, bottom + 35);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const LatencyBox& box = boxes[i];
    const double y = kBoxRow * static_cast<double>(i) + 22;
    const double low = scale.pixel(box.min), p50 = scale.pixel(box.p50), p90 = scale.pixel(box.p90),
                 p99 = scale.pixel(box.p99);
    svg += row_label(box.label, y + 4);
    svg += fmt::format(
        "<g><title>least {:.4g}, p50 {:.4g}, p90 {:.4g}, p99 {:.4g}, largest {:.4g} ms</title>"
        "<path class=\"whisker s{}\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>",
        box.min, box.p50, box.p90, box.p99, box.max, i % 8, low, y, p99);
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" class=\"c{} soft\"/>", low,
                       y - 9, std::max(1.0, p90 - low), i % 8);
    svg += fmt::format("<path class=\"whisker s{0}\" d=\"M{1:.1f} {2:.1f}v18M{3:.1f} {4:.1f}v8\"/>", i % 8, p50, y - 9,
                       p99, y - 4);
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\">largest {:.3g} ms</text></g>\n", kWidth - 118, y + 4, box.max);
  }
  return svg + "</svg>\n";
}

}  // namespace gpueval
