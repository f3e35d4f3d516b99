// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstddef>

#include "report/markup.h"
#include "report/svg_axis.h"
#include "report/svg_chart.h"

namespace gpueval {
namespace {

constexpr double kSide = 380, kFromLeft = 48, kFromRight = 12, kFromTop = 12, kFromBottom = 44;

std::string unit_grid(const Scale& sx, const Scale& sy, const std::string& x, const std::string& y) {
  const double bottom = kSide - kFromBottom, right = kSide - kFromRight;
  std::string svg;
  for (const double tick : sx.ticks()) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" class=\"mid\">{4:.2g}</text>\n",
        sx.pixel(tick), kFromTop, bottom, bottom + 17, tick);
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" class=\"end\">{5:.2g}</text>\n",
        kFromLeft, sy.pixel(tick), right, kFromLeft - 6, sy.pixel(tick) + 4, tick);
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" class=\"mid title\">{}</text>\n", (kFromLeft + right) / 2,
                     kSide - 8, escaped(x));
  return svg + fmt::format("<text transform=\"translate(12 {:.0f}) rotate(-90)\" class=\"mid title\">{}</text>\n",
                           (kFromTop + bottom) / 2, escaped(y));
}

std::string line(const ChartCurve& curve, std::size_t color, const Scale& sx, const Scale& sy) {
  std::string path;
  for (std::size_t i = 0; i < curve.y.size(); ++i) {
    const double x = static_cast<double>(i) / static_cast<double>(curve.y.size() - 1);
    path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", sx.pixel(x), sy.pixel(curve.y[i]));
  }
  return fmt::format("<path class=\"whisker s{}\" d=\"{}\"><title>{}</title></path>\n", color % 8, path,
                     escaped(curve.label));
}

}  // namespace

std::string unit_chart(const std::vector<ChartCurve>& curves, const std::string& x, const std::string& y) {
  const Scale sx = Scale::linear(0, 1, kFromLeft, kSide - kFromRight);
  const Scale sy = Scale::linear(0, 1, kSide - kFromBottom, kFromTop);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {0} {0}\" role=\"img\">\n", kSide) + unit_grid(sx, sy, x, y);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (curves[i].y.size() > 1) svg += line(curves[i], i, sx, sy);
  }
  return svg + "</svg>\n";
}

std::string curve_legend(const std::vector<std::string>& labels) {
  std::string html = "<p class=\"legend\">";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    html += fmt::format(
        "<span><svg width=\"16\" height=\"16\" viewBox=\"0 0 16 16\"><path class=\"whisker s{}\" d=\"M1 8H15\"/></svg>"
        "{}</span> ",
        i % 8, escaped(labels[i]));
  }
  return html + "</p>\n";
}

}  // namespace gpueval
