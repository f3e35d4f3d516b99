// SPDX-License-Identifier: Apache-2.0
// PTX text cut into kernels, statements and operands; nothing is understood yet. What nvcc 13 writes, not all of PTX:
// anything else is an Error with file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpueval::ptx {

struct Statement {
  int line = 0;
  std::string guard;  // "%p3"; empty: always
  bool negated = false;
  std::vector<std::string> name;      // "ld.global.u8" -> ld, global, u8
  std::vector<std::string> operands;  // "{%r1, %r2}" and "[%rd1+8]" are one operand each
  std::string text;
};

struct Parameter {
  std::size_t offset = 0, bytes = 0;
};

struct Function {
  std::string file, name;
  std::map<std::string, Parameter> parameters;
  std::size_t parameter_bytes = 0;
  std::uint32_t max_threads = 1024;          // __launch_bounds__
  std::map<std::string, int> register_bits;  // prefix "%rd" -> 64; predicates: 1
  std::map<std::string, std::size_t> labels;
  std::vector<Statement> statements;
};

// The kernel whose ".entry" stands at `begin`, in line `line` of the text of `file`.
Function parse_function(const std::string& file, std::string_view text, std::size_t begin, int line);

std::string_view trimmed(std::string_view text);

}  // namespace gpueval::ptx
