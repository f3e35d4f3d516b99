// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace gpueval {

enum class NewLines { kEscape, kKeep };

// Text from files (names, labels, layers, messages) as a terminal may see it: control characters, C1 controls, line and
// paragraph separators, marks that reverse the direction of text, characters that show nothing and bytes that are no
// UTF-8 become visible escapes ("\x1b", "\u202e"). The result is valid UTF-8; printing it twice changes nothing.
std::string printable(std::string_view text, NewLines lines = NewLines::kEscape);

}  // namespace gpueval
