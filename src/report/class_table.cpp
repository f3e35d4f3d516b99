// SPDX-License-Identifier: Apache-2.0
#include "report/class_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "report/cells.h"

namespace gpueval {
namespace {

constexpr std::size_t kMostDifferences = 3;  // columns; of more rows the values alone
constexpr std::size_t kNameWidth = 24;

struct ClassRow {
  int category = 0;
  std::vector<std::optional<double>> values;  // one a judged row

  std::optional<double> difference(std::size_t row) const {
    return values[0] && values[row] ? std::optional(*values[row] - *values[0]) : std::nullopt;
  }
  double most_different() const {
    double most = 0;
    for (std::size_t i = 1; i < values.size(); ++i) most = std::max(most, std::abs(difference(i).value_or(0)));
    return most;
  }
  // Classes are shown by it, ascending.
  double order() const { return values.size() > 1 ? -most_different() : *values[0]; }
  bool empty() const {
    return std::none_of(values.begin(), values.end(), [](const std::optional<double>& v) { return v.has_value(); });
  }
};

std::vector<const RunReport*> judged_runs(const Report& report) {
  std::vector<const RunReport*> runs;
  for (const RunReport& run : report.runs) {
    if (run.accuracy) runs.push_back(&run);
  }
  return runs;
}

std::vector<ClassRow> class_rows(const std::vector<ClassValues>& runs) {
  std::map<int, ClassRow> classes;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [category, value] : runs[i].classes) {
      ClassRow& row = classes[category];
      row.category = category;
      row.values.resize(runs.size());
      row.values[i] = value;
    }
  }
  std::vector<ClassRow> rows;
  for (auto& [category, row] : classes) {
    if (!row.empty()) rows.push_back(std::move(row));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ClassRow& a, const ClassRow& b) { return a.order() < b.order(); });
  return rows;
}

std::string value_cell(const std::optional<double>& value) { return value ? percent(*value) : "-"; }
std::string difference_cell(const std::optional<double>& value) {
  return value ? fmt::format("{:+.2f}", 100 * *value) : "-";
}

// Those behind the ones that are shown.
std::string rest_sentence(const std::vector<ClassRow>& rows, std::size_t shown, const std::string& metric) {
  if (shown >= rows.size()) return "";
  const std::size_t rest = rows.size() - shown;
  const char* classes = rest == 1 ? "class" : "classes";
  const ClassRow& next = rows[shown];
  if (next.values.size() > 1) {
    return fmt::format("The {} of {} more {} differs by at most {:.2f} points; the JSON has them all.", metric, rest,
                       classes, 100 * next.most_different());
  }
  return fmt::format("The {} of {} more {} is {} or more; the JSON has them all.", metric, rest, classes,
                     percent(*next.values[0]));
}

}  // namespace

std::string class_name(const Report& report, int category) {
  const auto place = static_cast<std::size_t>(category);
  const bool named = report.data && place < report.data->class_names.size();
  return named ? shortened_name(report.data->class_names[place], kNameWidth) : fmt::format("class {}", category);
}

ClassTable class_table(const Report& report, std::size_t most) {
  const std::vector<const RunReport*> runs = judged_runs(report);
  const Task& task = find_task(report.task);
  std::vector<ClassValues> values;
  for (const RunReport* run : runs) values.push_back(task.by_class(*run->accuracy));
  if (values.empty() || values.front().metric.empty()) return {};
  const std::vector<ClassRow> rows = class_rows(values);
  if (rows.empty()) return {};
  const std::string& metric = values.front().metric;
  ClassTable result;
  result.title = runs.size() > 1 ? fmt::format("{} by class, those that differ most first", metric)
                                 : fmt::format("{} by class, the lowest first", metric);
  const bool differences = runs.size() <= kMostDifferences + 1;
  result.table.column("class", TextTable::Align::kLeft);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    result.table.column(runs[i]->label());
    if (i > 0 && differences) result.table.column("diff");
  }
  const std::size_t shown = std::min(most, rows.size());
  for (std::size_t r = 0; r < shown; ++r) {
    std::vector<std::string> cells{class_name(report, rows[r].category)};
    for (std::size_t i = 0; i < runs.size(); ++i) {
      cells.push_back(value_cell(rows[r].values[i]));
      if (i > 0 && differences) cells.push_back(difference_cell(rows[r].difference(i)));
    }
    result.table.row(std::move(cells));
  }
  result.rest = rest_sentence(rows, shown, metric);
  return result;
}

}  // namespace gpueval
