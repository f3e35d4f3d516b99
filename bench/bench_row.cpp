// SPDX-License-Identifier: Apache-2.0
#include "bench_row.h"

#include <fmt/format.h>

namespace gpueval::bench {

std::string row_name(const Row& row) {
  const std::string where = row.threads > 0 ? fmt::format("t{}", row.threads) : row.device;
  return fmt::format("{}/{}/{}/{}{}", row.kernel, row.network, to_string(row.desc), where, row.cold ? "/cold" : "");
}

}  // namespace gpueval::bench
