// SPDX-License-Identifier: Apache-2.0
// Charts as inline SVG: no scripts, no files, all text escaped. Colours are classes of the page's style sheet (c0..c7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpueval/accuracy.h"

namespace gpueval {

struct ScatterPoint {
  std::string label;  // what it is: written next to the point, or in the legend of marks
  std::string group;  // what it belongs to: one colour each, legend if there are several
  double x = 0, y = 0;
  std::optional<Interval> y_interval;
};
struct ChartAxis {
  std::string title;
  double factor = 1;         // of the values, for the numbers written at the ticks (100: percent)
  bool logarithmic = false;  // where the values span more than a factor of eight
};
// Points of one group share a colour, points of one label a mark. With one group the labels stand at the points.
std::string scatter_chart(const std::vector<ScatterPoint>& points, const ChartAxis& x, const ChartAxis& y);

struct Bar {
  std::string label, text;  // text: the value as written behind the bar
  double value = 0;
};
// largest: the value of a bar of full length, so that charts compare; less than the bars' own largest: that.
std::string bar_chart(const std::vector<Bar>& bars, int color, double largest = 0);

// Latencies of one row: whiskers from least to p99, a box to p90, a line at the median; the largest is written.
struct LatencyBox {
  std::string label;
  double min = 0, p50 = 0, p90 = 0, p99 = 0, max = 0;
};
std::string latency_chart(const std::vector<LatencyBox>& boxes);

// Curves over a square, both axes from 0 to 1: y at x = 0 to 1 in even steps. The colours are those of the legend.
struct ChartCurve {
  std::string label;
  std::vector<double> y;
};
std::string unit_chart(const std::vector<ChartCurve>& curves, const std::string& x, const std::string& y);
std::string curve_legend(const std::vector<std::string>& labels);

// Layers over two logarithmic axes, under the roofs: a slope (bytes a second) that meets a ceiling for each kind of
// arithmetic. Layers of one group share a colour; the area of a disc is the layer's share of its group's time.
struct RooflinePoint {
  std::string label, group;
  double intensity = 0, gops = 0, share = 0;
};
struct Ceiling {
  std::string label;
  double gops = 0;
};
std::string roofline_chart(const std::vector<RooflinePoint>& points, const std::vector<Ceiling>& ceilings, double gbs);

}  // namespace gpueval
