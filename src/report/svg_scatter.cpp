// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "report/markup.h"
#include "report/svg_axis.h"
#include "report/svg_chart.h"

namespace gpueval {
namespace {

constexpr double kWidth = 860, kHeight = 400, kLeft = 64, kRight = 24, kTop = 16, kBottom = 48;
constexpr double kLogarithmicSpan = 8;

// Position of text among the texts seen so far, in the order of their first appearance.
std::size_t index_of(std::vector<std::string>& seen, const std::string& text) {
  const auto found = std::find(seen.begin(), seen.end(), text);
  if (found != seen.end()) return static_cast<std::size_t>(found - seen.begin());
  seen.push_back(text);
  return seen.size() - 1;
}

std::string mark(std::size_t shape, double x, double y, std::size_t color) {
  const std::string fill = fmt::format("class=\"c{}\"", color % 8);
  switch (shape % 5) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5.5\" {}/>", x, y, fill);
    case 1:
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" {}/>", x - 5, y - 5, fill);
    case 2:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l6.5 6.5l-6.5 6.5l-6.5 -6.5z\" {}/>", x, y - 6.5, fill);
    case 3:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l6.5 11h-13z\" {}/>", x, y - 7, fill);
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l6.5 -11h-13z\" {}/>", x, y + 7, fill);
  }
}

std::string axes(const Scale& sx, const Scale& sy, const ChartAxis& x, const ChartAxis& y) {
  std::string svg;
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  for (const double tick : sx.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" class=\"mid\">{4:g}</text>\n",
        sx.pixel(tick), kTop, bottom, bottom + 17, tick * x.factor);
  }
  for (const double tick : sy.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" class=\"end\">{5:g}</text>\n",
        kLeft, sy.pixel(tick), right, kLeft - 8, sy.pixel(tick) + 4, tick * y.factor);
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"mid title\">{}</text>\n", (kLeft + right) / 2,
                     kHeight - 8, escaped(x.title));
  svg += fmt::format("<text transform=\"translate(14 {:.0f}) rotate(-90)\" class=\"mid title\">{}</text>\n",
                     (kTop + bottom) / 2, escaped(y.title));
  return svg;
}

// Below the chart: a coloured disc for each group, a grey mark for each label.
std::string legend(const std::vector<std::string>& groups, const std::vector<std::string>& labels) {
  std::string html = "<p class=\"legend\">";
  const auto entry = [&](std::size_t shape, const std::string& color, const std::string& text) {
    html += fmt::format("<span><svg width=\"16\" height=\"16\" class=\"{}\">{}</svg>{}</span> ", color,
                        mark(shape, 8, 8, 0), escaped(text));
  };
  for (std::size_t i = 0; i < groups.size(); ++i) entry(0, fmt::format("as{}", i % 8), groups[i]);
  html += "<br>";
  for (std::size_t i = 0; i < labels.size(); ++i) entry(i, "grey", labels[i]);
  return html + "</p>\n";
}

}  // namespace

std::string scatter_chart(const std::vector<ScatterPoint>& points, const ChartAxis& x, const ChartAxis& y) {
  if (points.empty()) return "";
  double x_low = points[0].x, x_high = x_low, y_low = points[0].y, y_high = y_low;
  for (const ScatterPoint& point : points) {
    x_low = std::min(x_low, point.x);
    x_high = std::max(x_high, point.x);
    y_low = std::min({y_low, point.y, point.y_interval ? point.y_interval->low : point.y});
    y_high = std::max({y_high, point.y, point.y_interval ? point.y_interval->high : point.y});
  }
  const double short_of_one = std::max(0.0, 1 / y.factor - (y_high - y_low));  // a hundredth of a point is no chasm
  y_low -= short_of_one / 2;
  y_high += short_of_one / 2;
  const bool logarithmic = x.logarithmic && x_low > 0 && x_high > kLogarithmicSpan * x_low;
  const Scale sx = logarithmic ? Scale::logarithmic(x_low, x_high, kLeft, kWidth - kRight)
                               : Scale::linear(std::min(0.0, x_low), x_high, kLeft, kWidth - kRight);
  const Scale sy = Scale::linear(y_low, y_high, kHeight - kBottom, kTop);
  std::vector<std::string> groups, labels;
  for (const ScatterPoint& point : points) index_of(groups, point.group);
  std::string marks;
  for (const ScatterPoint& point : points) {
    const std::size_t shape = index_of(labels, point.label);
    const std::size_t color = groups.size() > 1 ? index_of(groups, point.group) : shape;
    const double px = sx.pixel(point.x), py = sy.pixel(point.y);
    marks += fmt::format("<g><title>{}: {:.4g}, {:.4g}</title>",
                         escaped(groups.size() > 1 ? point.group + ", " + point.label : point.label),
                         point.x * x.factor, point.y * y.factor);
    if (point.y_interval) {
      marks += fmt::format("<path class=\"whisker s{}\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", color % 8, px,
                           sy.pixel(point.y_interval->low), sy.pixel(point.y_interval->high));
    }
    marks += mark(shape, px, py, color);
    if (groups.size() == 1) {
      const bool left = px > kWidth - 220;
      marks += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>", left ? px - 11 : px + 11, py + 4,
                           left ? " class=\"end\"" : "", escaped(point.label));
    }
    marks += "</g>\n";
  }
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\">\n{}{}</svg>\n{}", kWidth, kHeight, axes(sx, sy, x, y),
                     marks, groups.size() > 1 ? legend(groups, labels) : "");
}

}  // namespace gpueval
