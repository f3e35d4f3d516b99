// SPDX-License-Identifier: Apache-2.0
// Results of any text: `gpu_eval compare` tells the difference or throws Error. An input is one result, compared with
// itself and with a real one, or two with a zero byte between.
#include <algorithm>
#include <string_view>

#include "gpueval/error.h"
#include "gpueval/report.h"
#include "temporary_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const gpueval::fuzz::TemporaryFile a("a.json"), b("b.json");
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::size_t middle = std::min(text.find('\0'), size);
  a.write(text.data(), middle);
  const std::string_view rest = middle < size ? text.substr(middle + 1) : text;
  b.write(rest.data(), rest.size());
  for (const auto* other : {&a, &b}) {
    try {
      gpueval::compare_results(other->path(), b.path());
    } catch (const gpueval::Error&) {
    }
  }
  return 0;
}
