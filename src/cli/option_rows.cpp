// SPDX-License-Identifier: Apache-2.0
#include "cli/option_rows.h"

#include <fmt/format.h>

#include "gpueval/error.h"
#include "program/values.h"

namespace gpueval::cli {
namespace {

std::vector<std::string> scheme_names() {
  std::vector<std::string> names{"best", "auto"};
  for (const Scheme scheme : {Scheme::kMaxAbs, Scheme::kPercentile, Scheme::kEntropy, Scheme::kMse, Scheme::kReference})
    names.push_back(to_string(scheme));
  return names;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const Task* task : tasks()) names.push_back(task->name());
  return names;
}

DType activations_of(const std::string& text) { return text == "s8" ? DType::kS8 : DType::kU8; }

int chunk_of(const std::string& text) { return text == "auto" ? kChunkByCache : std::stoi(text); }

auto is(const char* text) {
  return [text](const std::string& typed) { return typed == text; };
}

void add_switch(CLI::App& app, const OptionRow& of, Options& o, const CorrectionSwitch& row) {
  const std::string name = row.name;
  const auto turn = [&o, name](bool on) {
    return [&o, name, on](std::int64_t) {
      if (o.row.recipe.corrections.emplace(name, on).first->second != on)
        fail_usage("--{0} contradicts --no-{0}", name);
    };
  };
  app.add_flag_function("--" + name, turn(true), row.help)->group(of.heading);
  app.add_flag_function("--no-" + name, turn(false))->group(kHidden);
}

// A vector has commas between its elements.
template <typename T>
void add(CLI::App& app, const OptionRow& row, T& value, const char* type, const CLI::Validator& check) {
  CLI::Option* option = app.add_option(row.name, value, row.help)->group(row.heading)->type_name(type)->check(check);
  if constexpr (requires { value.push_back(value.front()); } && !std::is_same_v<T, std::string>)
    option->delimiter(',')->allow_extra_args(false);
}

template <typename T, typename Parse>
void add_parsed(CLI::App& app, const OptionRow& row, T& value, const char* type, const CLI::Validator& check,
                Parse parse) {
  const auto take = [&value, parse](const std::string& text) { value = parse(text); };
  app.add_option_function<std::string>(row.name, take, row.help)->group(row.heading)->type_name(type)->check(check);
}

void add_argument(CLI::App& app, const OptionRow& row, std::vector<std::string>& value) {
  app.add_option(row.name, value, row.help);
}

void add_flag(CLI::App& app, const OptionRow& row, bool& field, bool value) {
  app.add_flag(row.name + std::string(value ? "" : "{false}"), field, row.help)->group(row.heading);
}

}  // namespace

std::span<const OptionRow> option_rows() {
#define GPUEVAL_ROW(commands, heading, name, help, ...) \
  {commands, heading, name, help,                       \
   []([[maybe_unused]] CLI::App& app, [[maybe_unused]] const OptionRow& row, Options& o) { __VA_ARGS__; }},
#define GPUEVAL_OPTION(commands, heading, name, field, type, check, help) \
  GPUEVAL_ROW(commands, heading, name, help, add(app, row, o.field, type, check))
#define GPUEVAL_PARSED(commands, heading, name, field, type, check, parse, help) \
  GPUEVAL_ROW(commands, heading, name, help, add_parsed(app, row, o.field, type, check, parse))
#define GPUEVAL_FLAG(commands, heading, name, field, value, help) \
  GPUEVAL_ROW(commands, heading, name, help, add_flag(app, row, o.field, value))
#define GPUEVAL_SWITCHES(commands, heading) \
  GPUEVAL_ROW(commands, heading, "", "", for (const auto& of : correction_switches()) add_switch(app, row, o, of))
#define GPUEVAL_ARGUMENT(commands, name, field, help) \
  GPUEVAL_ROW(commands, "", name, help, add_argument(app, row, o.field))
#define GPUEVAL_DEFAULT(commands, field, value) GPUEVAL_ROW(commands, "", "", "", o.field = value)
  static const OptionRow kAll[] = {
#include "cli/options.inc"
  };
#undef GPUEVAL_ROW
  return kAll;
}

void define_options(CLI::App& app, const Command& command, Options& options) {
  for (const OptionRow& row : option_rows()) {
    if ((row.commands & command.set) != 0) row.define(app, row, options);
  }
}

}  // namespace gpueval::cli
