// SPDX-License-Identifier: Apache-2.0
// The one way to the terminal: no other file prints (tests/cli/terminal_test.cpp looks). Names, labels and messages may
// come from files of others; what a terminal would take for a command leaves as visible text (core/printable.h).
#pragma once

#include <string_view>

namespace gpueval {

// A closed stdin, stdout or stderr would lend its number to the next file opened, and what is printed would go there.
void hold_standard_streams();

void print_lines(std::string_view text);      // stdout, as it is laid out; names in it are one line each already
void print_line(std::string_view sentence);   // stdout, one line whatever is in it
void print_note(std::string_view sentence);   // stderr: "gpu_eval: note: ..."
void print_error(std::string_view sentence);  // stderr: "gpu_eval: error: ..."

// A line on stderr that the next one overwrites; an empty text wipes it.
void draw_line(std::string_view text);

// Why stdout did not take all that was printed: an errno, 0 if it did.
int lost_output();

}  // namespace gpueval
