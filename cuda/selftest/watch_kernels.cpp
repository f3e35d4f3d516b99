// SPDX-License-Identifier: Apache-2.0
// The process that watches the one that tests.
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/child_process.h"
#include "core/json_fields.h"
#include "core/json_text.h"
#include "cuda/selftest/selftest.h"
#include "gpueval/error.h"

namespace gpueval::cuda {
namespace {

using Read = ChildProcess::Read;

class Watch {
 public:
  explicit Watch(const SelftestOptions& options) : options_(options), left_(options.kernels) {}

  std::vector<SelftestRow> run() {
    while (!left_.empty()) run_process();
    return std::move(rows_);
  }

 private:
  // Tests what is left until the process ends; at least one kernel has a result then, or an Error is thrown.
  void run_process() {
    std::vector<std::string> command = options_.command;
    command.push_back(fmt::format("{}", fmt::join(left_, ",")));
    const std::size_t before = rows_.size();
    ChildProcess process(command);
    under_way_.clear();
    Read read = Read::kLine;
    for (std::string line; !left_.empty();) {
      const bool began = !under_way_.empty() || rows_.size() > before;
      read = process.read_line(&line, began ? options_.kernel_limit : options_.start_limit);
      if (read != Read::kLine) break;
      take(line);
    }
    if (left_.empty()) return;
    const std::string how = read == Read::kLate ? "" : process.end();
    if (!under_way_.empty()) {
      finish({.name = under_way_,
              .failure = how.empty() ? fmt::format("it was not done after {:g} s",
                                                   std::chrono::duration<double>(options_.kernel_limit).count())
                                     : fmt::format("the process that ran it ended with {}", how)});
    } else if (rows_.size() == before) {
      fail("the process of the self-test {} before its first kernel", how.empty() ? "hung" : "ended with " + how);
    }
  }

  // A line that is none of ours is passed over: libraries and drivers print too.
  void take(const std::string& line) try {
    const nlohmann::json json = parse_json(line, "self-test");
    const JsonFields fields(json, "self-test");
    if (fields.has("begins")) {
      const std::string name = fields.text("begins");
      if (name != left_.front()) return;
      under_way_ = name;
      if (options_.begins) options_.begins(name);
    } else if (fields.text("done") == under_way_) {
      finish({.name = under_way_,
              .shapes = static_cast<int>(fields.integer("shapes", 0, std::numeric_limits<int>::max())),
              .ms = fields.number("ms"),
              .failure = fields.text("failure")});
    }
  } catch (const Error&) {
  }

  void finish(SelftestRow row) {
    rows_.push_back(std::move(row));
    left_.erase(left_.begin());
    under_way_.clear();
  }

  const SelftestOptions& options_;
  std::vector<std::string> left_;
  std::vector<SelftestRow> rows_;
  std::string under_way_;  // empty: none; else left_'s first
};

}  // namespace

std::vector<SelftestRow> watch_kernels(const SelftestOptions& options) { return Watch(options).run(); }

}  // namespace gpueval::cuda
