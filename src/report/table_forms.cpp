// SPDX-License-Identifier: Apache-2.0
// The table of all networks as text, Markdown and HTML.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/printable.h"
#include "gpueval/report.h"
#include "report/cells.h"
#include "report/class_table.h"
#include "report/html_page.h"
#include "report/image_sentences.h"
#include "report/markup.h"
#include "report/published.h"
#include "report/svg_chart.h"
#include "report/text_table.h"
#include "task/statistics.h"

namespace gpueval {
namespace {

constexpr std::size_t kWidth = 110;
constexpr const char* kLegend =
    "diff: points against the network's float32 row on the same images; p: exact McNemar test of top-1; agree: same "
    "top-1 class as float32; SQNR: of the logits against float32's.";

// The networks of one task: a table of theirs.
struct TaskGroup {
  const Task& task;
  std::vector<const TableNetwork*> networks;
};

// In the order of their first networks. What was not measured has no task, and stands with the network before it.
std::vector<TaskGroup> by_task(const TableReport& table) {
  std::vector<TaskGroup> groups;
  std::vector<const TableNetwork*> waiting;
  TaskGroup* last = nullptr;
  for (const TableNetwork& network : table.networks) {
    if (!network.report) {
      (last != nullptr ? last->networks : waiting).push_back(&network);
      continue;
    }
    const Task& task = find_task(network.report->task);
    const auto found =
        std::find_if(groups.begin(), groups.end(), [&](const TaskGroup& group) { return &group.task == &task; });
    last = found != groups.end() ? &*found : &groups.emplace_back(TaskGroup{task, std::exchange(waiting, {})});
    last->networks.push_back(&network);
  }
  if (!waiting.empty()) groups.push_back({find_task("classification"), std::move(waiting)});
  return groups;
}

std::string legend_of(const Task& task) {
  return task.truth() == TruthKind::kClass
             ? kLegend
             : task.legend("the network's float32 row") + " SQNR: of the outputs against float32's.";
}

void add_row(TextTable& table, const std::string& network, const Report& report, const RunReport& run) {
  const RunReport& first = report.runs.front();
  std::vector<std::string> cells{network, run.label()};
  cells.resize(10);
  if (run.accuracy) {
    cells[2] = metric_cell(report, run, 0);
    cells[3] = metric_cell(report, run, 1);
  }
  if (run.vs_first) {
    cells[4] = fmt::format("{:+.2f}", 100 * run.vs_first->diff);
    if (find_task(report.task).tells(1, report.model.classes))
      cells[5] = fmt::format("{:+.2f}", 100 * (run.accuracy->metrics[1].value - first.accuracy->metrics[1].value));
    cells[6] = significance_cell(*run.vs_first);
    cells[7] = fmt::format("{:.1f}%", 100 * run.vs_first->agreement);
    if (run.vs_first->logits.images > 0) cells[8] = decibels(run.vs_first->logits.sqnr_db());
  }
  if (run.speed) cells[9] = rate_with_verdict(*run.speed);
  table.row(std::move(cells));
}

TextTable networks_table(const TaskGroup& group) {
  TextTable table;
  table.column("network", TextTable::Align::kLeft);
  table.column("precision", TextTable::Align::kLeft);
  const std::vector<std::string> metrics = group.task.metric_names();
  const bool classes = group.task.truth() == TruthKind::kClass;
  for (const std::string& title :
       {metrics[0], metrics[1], classes ? "diff-1" : "diff " + metrics[0], classes ? "diff-5" : "diff " + metrics[1]})
    table.column(title);
  for (const char* title : {"p", "agree", "SQNR dB", "images/s"}) table.column(title);
  for (const TableNetwork* network : group.networks) {
    if (!network->report) {
      std::vector<std::string> cells(10);
      cells[0] = network->name;
      cells[1] = "not measured";
      table.row(std::move(cells));
      continue;
    }
    const std::vector<RunReport>& runs = network->report->runs;
    for (const RunReport& run : runs) add_row(table, &run == &runs.front() ? network->name : "", *network->report, run);
  }
  return table;
}

// A table a task, joined by `between`.
template <typename Form>
std::string networks_tables(const TableReport& report, const std::string& between, Form form) {
  std::vector<std::string> tables;
  for (const TaskGroup& group : by_task(report)) tables.push_back(form(networks_table(group)));
  return fmt::format("{}", fmt::join(tables, between));
}

// Those of all networks, each with its network's name.
std::vector<std::string> warnings(const TableReport& table) {
  std::vector<std::string> result;
  for (const TableNetwork& network : table.networks) {
    if (!network.report) continue;
    for (const std::string& warning : network.report->warnings)
      result.push_back(fmt::format("{}: {}", network.name, warning));
  }
  return result;
}

// Why a network's rows are NOISY or INVALID, and what helps.
std::vector<std::string> doubts(const Report& report) {
  std::vector<std::string> result;
  const auto add = [&](const char* verdict, const std::string& label, const std::vector<std::string>& clauses) {
    for (const std::string& clause : clauses) result.push_back(fmt::format("{}: {}{}.", verdict, label, clause));
  };
  bool emulated = false;
  for (const RunReport& run : report.runs) {
    emulated = emulated || run.emulated();
    if (run.speed && !run.emulated()) add("NOISY", run.label() + ": ", run.speed->noise);
    if (run.speed) add("INVALID", run.label() + ": ", run.speed->reasons);
  }
  if (emulated) return {fmt::format("{}.", kEmulated)};
  if (!report.conditions) return result;
  add("NOISY", "", report.conditions->noise());
  if (const std::string advice = report.conditions->advice(report.host.threads); !advice.empty())
    result.push_back(advice);
  return result;
}

// Whole sentences on what was judged and what is missing.
std::vector<std::string> sentences(const TableReport& table) {
  std::vector<std::string> result;
  for (const TaskGroup& group : by_task(table)) result.push_back(legend_of(group.task));
  for (const TableNetwork& network : table.networks) {
    if (!network.report) {
      result.push_back(fmt::format("{}: {}", network.name, network.missing));
      continue;
    }
    const Report& report = *network.report;
    if (report.data) {
      result.push_back(fmt::format("{}: {} of {}, {}.", network.name, judged_text(*report.data),
                                   shortened_path(report.data->path, 50), report.data->preprocessing));
    }
    if (report.calibration) {
      for (const std::string& sentence : calibration_sentences(*report.calibration))
        result.push_back(fmt::format("{}: {}", network.name, sentence));
    }
    for (const RunReport& run : report.runs) {
      if (!run.quantization || run.quantization->corrections.empty()) continue;
      result.push_back(fmt::format("{}, {}: {}.", network.name, run.label(), quantization_text(*run.quantization)));
    }
    for (const std::string& reason : doubts(report)) result.push_back(fmt::format("{}: {}", network.name, reason));
    for (const std::string& note : report.notes) result.push_back(fmt::format("{}: {}", network.name, note));
  }
  result.insert(result.end(), table.host.notes.begin(), table.host.notes.end());
  if (table.interrupted) result.push_back("Interrupted: the table covers what was done until then.");
  return result;
}

std::string machine(const TableReport& table) {
  return fmt::format("gpu_eval {} ({}), {}, {} threads", table.tool.version, table.tool.revision, table.host.cpu,
                     table.host.threads);
}

// By class, network by network; form: of a title and its table.
template <typename Form>
std::string class_tables(const TableReport& table, Form form) {
  std::string text;
  for (const TableNetwork& network : table.networks) {
    if (!network.report) continue;
    const ClassTable classes = class_table(*network.report);
    if (!classes.title.empty()) text += form(network.name + ": " + classes.title, classes.table);
  }
  return text;
}

std::string scatter(const TaskGroup& group) {
  std::vector<ScatterPoint> points;
  for (const TableNetwork* network : group.networks) {
    if (!network->report) continue;
    for (const RunReport& run : network->report->runs) {
      if (run.accuracy && run.speed && !run.emulated())
        points.push_back({run.label() + doubt(run), network->name, run.speed->images_per_second,
                          run.accuracy->headline(), std::nullopt});
    }
  }
  return scatter_chart(points, {"images per second", 1, true},
                       {group.task.metric_names().front() + ", percent", 100, false});
}

}  // namespace

std::string to_text(const TableReport& table) {
  std::string text = printable(machine(table)) + "\n\n" +
                     networks_tables(table, "\n", [](const TextTable& t) { return t.text(); }) + '\n' +
                     warning_lines(warnings(table), kWidth);
  for (const std::string& sentence : sentences(table)) text += wrapped(sentence, kWidth, 2);
  if (const auto published = published_table(table))
    text += "\nThe original research\n\n" + published->text() + '\n' + wrapped(published_note(table), kWidth, 2);
  return text;
}

std::string to_markdown(const TableReport& table) {
  std::string text = networks_tables(table, "\n", [](const TextTable& t) { return t.markdown(); }) + '\n';
  for (const std::string& warning : warnings(table)) text += "- WARNING: " + escaped_markdown(warning) + '\n';
  for (const std::string& sentence : sentences(table)) text += "- " + escaped_markdown(sentence) + '\n';
  text += class_tables(table, [](const std::string& title, const TextTable& classes) {
    return fmt::format("\n### {}\n\n{}", escaped_markdown(title), classes.markdown());
  });
  if (const auto published = published_table(table))
    text += "\n### The original research\n\n" + published->markdown() + "\n- " +
            escaped_markdown(published_note(table)) + '\n';
  return text + fmt::format("\n{}. Command: {}\n", escaped_markdown(machine(table)), markdown_code(table.command));
}

std::string to_html(const TableReport& table) {
  std::string body = "<h1>Float32 against int8</h1>\n" + html_paragraph(machine(table), "sub");
  std::string notes;
  for (const std::string& sentence : sentences(table)) notes += html_paragraph(sentence, "note");
  body += html_section("Result", networks_tables(table, "\n", [](const TextTable& t) { return t.html(); }) +
                                     html_warnings(warnings(table)) + notes);
  if (const auto published = published_table(table)) {
    body += html_section("The original research", published->html() + html_paragraph(published_note(table), "note"));
  }
  body += class_tables(
      table, [](const std::string& title, const TextTable& classes) { return html_section(title, classes.html()); });
  for (const TaskGroup& group : by_task(table)) body += html_section("Accuracy against speed", scatter(group));
  std::string device;
  for (const TableNetwork& network : table.networks) {
    if (network.report) device = network.report->device_description;
  }
  body += html_environment(table.tool, table.host, device, table.command);
  return html_page("gpu_eval: float32 against int8", body);
}

}  // namespace gpueval
