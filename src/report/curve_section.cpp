// SPDX-License-Identifier: Apache-2.0
#include "report/curve_section.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "report/class_table.h"
#include "report/html_page.h"
#include "report/markup.h"
#include "report/svg_chart.h"

namespace gpueval {
namespace {

constexpr std::size_t kMostCharts = 12;  // of classes

std::vector<double> mean_curve(const std::vector<ClassCurve>& curves) {
  std::vector<double> mean(curves.front().precision.size(), 0);
  for (const ClassCurve& curve : curves) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += curve.precision[i] / static_cast<double>(curves.size());
  }
  return mean;
}

std::string figure(const std::string& title, const std::vector<ChartCurve>& curves) {
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n", escaped(title),
                     unit_chart(curves, "recall", "precision"));
}

}  // namespace

std::string curve_section(const Report& report) {
  const Task& task = find_task(report.task);
  std::vector<std::string> rows;
  std::vector<ChartCurve> means;
  std::map<int, std::vector<ChartCurve>> classes;
  for (const RunReport& run : report.runs) {
    if (!run.accuracy) continue;
    const std::vector<ClassCurve> curves = task.curves(*run.accuracy);
    if (curves.empty()) return "";
    rows.push_back(run.label());
    means.push_back({run.label(), mean_curve(curves)});
    for (const ClassCurve& curve : curves) classes[curve.category].push_back({run.label(), curve.precision});
  }
  if (rows.empty()) return "";
  std::string charts =
      figure(classes.size() == 1 ? class_name(report, classes.begin()->first) : "mean over the classes", means);
  if (classes.size() > 1 && classes.size() <= kMostCharts) {
    for (const auto& [category, curves] : classes) charts += figure(class_name(report, category), curves);
  }
  return html_section("Precision against recall, IoU .5",
                      curve_legend(rows) + "<div class=\"charts\">\n" + charts + "</div>\n" +
                          html_paragraph("Precision at a recall: the largest there or at a higher one, as COCO has it; "
                                         "AP50 is the area.",
                                         "note"));
}

}  // namespace gpueval
