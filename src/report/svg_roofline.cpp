// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/markup.h"
#include "report/svg_axis.h"
#include "report/svg_chart.h"

namespace gpueval {
namespace {

constexpr double kWidth = 860, kHeight = 440, kLeft = 64, kRight = 24, kTop = 16, kBottom = 48;
constexpr double kLeastRadius = 2.5, kRadius = 22;

std::string grid(const Scale& sx, const Scale& sy) {
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  std::string svg;
  for (const double tick : sx.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" class=\"mid\">{4:g}</text>\n",
        sx.pixel(tick), kTop, bottom, bottom + 17, tick);
  }
  for (const double tick : sy.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" class=\"end\">{5:g}</text>\n",
        kLeft, sy.pixel(tick), right, kLeft - 8, sy.pixel(tick) + 4, tick);
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"mid title\">operations per byte</text>\n",
                     (kLeft + right) / 2, kHeight - 8);
  svg += fmt::format("<text transform=\"translate(14 {:.0f}) rotate(-90)\" class=\"mid title\">GOPS</text>\n",
                     (kTop + bottom) / 2);
  return svg;
}

std::string roofs(const Scale& sx, const Scale& sy, const std::vector<Ceiling>& ceilings, double gbs, double from) {
  std::string svg;
  double highest = 0;
  for (const Ceiling& ceiling : ceilings) {
    highest = std::max(highest, ceiling.gops);
    svg += fmt::format(
        "<path class=\"whisker s7\" d=\"M{:.1f} {:.1f}H{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" class=\"end\">{}</text>\n",
        sx.pixel(ceiling.gops / gbs), sy.pixel(ceiling.gops), kWidth - kRight, kWidth - kRight - 4,
        sy.pixel(ceiling.gops) - 5, escaped(fmt::format("{} {:.0f}", ceiling.label, ceiling.gops)));
  }
  const double to = highest / gbs;
  if (from < to) {
    svg += fmt::format("<path class=\"whisker s7\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", sx.pixel(from),
                       sy.pixel(from * gbs), sx.pixel(to), sy.pixel(to * gbs));
  }
  return svg;
}

std::string disc(const RooflinePoint& point, const Scale& sx, const Scale& sy, std::size_t color) {
  const std::string title = fmt::format("{}, {}: {:.1f} GOPS, {:.1f} operations per byte, {:.1f}% of the time",
                                        point.group, point.label, point.gops, point.intensity, 100 * point.share);
  return fmt::format(
      "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" class=\"c{}\" opacity=\"0.6\"><title>{}</title></circle>\n",
      sx.pixel(point.intensity), sy.pixel(point.gops), std::max(kLeastRadius, kRadius * std::sqrt(point.share)),
      color % 8, escaped(title));
}

}  // namespace

std::string roofline_chart(const std::vector<RooflinePoint>& points, const std::vector<Ceiling>& ceilings, double gbs) {
  if (points.empty() || ceilings.empty()) return "";
  double x_low = points[0].intensity, x_high = x_low, y_low = points[0].gops, y_high = y_low;
  std::vector<std::string> groups;
  for (const RooflinePoint& point : points) {
    x_low = std::min(x_low, point.intensity);
    x_high = std::max(x_high, point.intensity);
    y_low = std::min(y_low, point.gops);
    y_high = std::max(y_high, point.gops);
    if (std::find(groups.begin(), groups.end(), point.group) == groups.end()) groups.push_back(point.group);
  }
  for (const Ceiling& ceiling : ceilings) {
    y_high = std::max(y_high, ceiling.gops);
    x_high = std::max(x_high, 2 * ceiling.gops / gbs);  // shows where the slope ends
  }
  const Scale sx = Scale::logarithmic(x_low, x_high, kLeft, kWidth - kRight);
  const Scale sy = Scale::logarithmic(y_low, y_high, kHeight - kBottom, kTop);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n", kWidth, kHeight) + grid(sx, sy) +
                    roofs(sx, sy, ceilings, gbs, std::max(x_low, y_low / gbs));
  for (const RooflinePoint& point : points) {
    const auto color = std::find(groups.begin(), groups.end(), point.group) - groups.begin();
    svg += disc(point, sx, sy, static_cast<std::size_t>(color));
  }
  svg += "</svg>\n<p class=\"legend\">";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    svg += fmt::format(
        "<span><svg width=\"16\" height=\"16\"><circle cx=\"8\" cy=\"8\" r=\"5.5\" class=\"c{}\"/></svg>{}</span> ",
        i % 8, escaped(groups[i]));
  }
  return svg + "</p>\n";
}

}  // namespace gpueval
