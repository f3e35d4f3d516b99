// SPDX-License-Identifier: Apache-2.0
// Regular expressions of the command line; a wrong one is a usage error that names it.
#pragma once

#include <regex>
#include <string>

#include "gpueval/error.h"

namespace gpueval::bench {

// Matches anywhere in the text, as grep does; empty matches everything.
class Pattern {
 public:
  explicit Pattern(const std::string& text) {
    try {
      regex_.assign(text, std::regex::extended | std::regex::optimize);
    } catch (const std::regex_error&) {
      fail_usage("'{}' is not a regular expression", text);
    }
    all_ = text.empty();
  }
  bool matches(const std::string& name) const { return all_ || std::regex_search(name, regex_); }

 private:
  std::regex regex_;
  bool all_ = false;
};

}  // namespace gpueval::bench
