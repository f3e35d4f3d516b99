// SPDX-License-Identifier: Apache-2.0
#include "report/published.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/cells.h"

namespace gpueval {
namespace {

struct Published {
  const char *network, *label;
  double top1, top5;
};
constexpr Published kPublished[] = {
#define GPUEVAL_PUBLISHED(network, label, top1, top5) {network, label, top1, top5},
#include "report/published.inc"
#undef GPUEVAL_PUBLISHED
};

const RunReport* find_run(const TableNetwork& network, const std::string& label) {
  if (!network.report) return nullptr;
  const std::vector<RunReport>& runs = network.report->runs;
  const auto found = std::find_if(runs.begin(), runs.end(),
                                  [&](const RunReport& run) { return run.accuracy && run.label() == label; });
  return found == runs.end() ? nullptr : &*found;
}

// top-1, top-5 and their differences in points against the first row's.
void add_cells(std::vector<std::string>& cells, double top1, double top5, const double* first) {
  cells.push_back(percent(top1));
  cells.push_back(percent(top5));
  cells.push_back(first == nullptr ? "" : fmt::format("{:+.2f}", 100 * (top1 - first[0])));
  cells.push_back(first == nullptr ? "" : fmt::format("{:+.2f}", 100 * (top5 - first[1])));
}

}  // namespace

std::vector<PublishedRow> published_rows(const std::string& network) {
  std::vector<PublishedRow> rows;
  for (const Published& row : kPublished) {
    if (network == row.network) rows.push_back({row.label, row.top1, row.top5});
  }
  return rows;
}

std::optional<TextTable> published_table(const TableReport& report) {
  TextTable table;
  table.column("network", TextTable::Align::kLeft);
  table.column("precision", TextTable::Align::kLeft);
  for (const char* title : {"publ. top-1", "top-5", "diff-1", "diff-5", "our top-1", "top-5", "diff-1", "diff-5"})
    table.column(title);
  bool any = false;
  for (const TableNetwork& network : report.networks) {
    const std::vector<PublishedRow> rows = published_rows(network.name);
    const RunReport* float_run = find_run(network, "float32");
    for (const PublishedRow& row : rows) {
      const bool first = &row == &rows.front();
      std::vector<std::string> cells{first ? network.name : "", row.label};
      const double published[] = {rows.front().top1, rows.front().top5};
      add_cells(cells, row.top1, row.top5, first ? nullptr : published);
      if (const RunReport* run = find_run(network, row.label)) {
        const AccuracyResult& own = *run->accuracy;
        const double ours[] = {float_run == nullptr ? 0 : float_run->accuracy->metrics[0].value,
                               float_run == nullptr ? 0 : float_run->accuracy->metrics[1].value};
        add_cells(cells, own.metrics[0].value, own.metrics[1].value, first || float_run == nullptr ? nullptr : ours);
      }
      cells.resize(10);
      table.row(std::move(cells));
      any = true;
    }
  }
  return any ? std::optional(std::move(table)) : std::nullopt;
}

std::string published_note(const TableReport& report) {
  std::string note = fmt::format("published: {}, {} of them.", kPublishedSource, grouped(kPublishedImages));
  std::string counts;
  for (const TableNetwork& network : report.networks) {
    if (!network.report || !network.report->data || published_rows(network.name).empty()) continue;
    const std::size_t count = network.report->data->count;
    if (count != kPublishedImages) counts += fmt::format("{}{}: {}", counts.empty() ? "" : ", ", network.name, count);
  }
  if (!counts.empty()) {
    note += fmt::format(
        " Ours are of other images ({}): levels differ by the images, and only differences can be compared.", counts);
  }
  return note;
}

}  // namespace gpueval
