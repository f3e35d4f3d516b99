// SPDX-License-Identifier: Apache-2.0
#include "shapes.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "gpueval/error.h"
#include "patterns.h"

namespace gpueval::bench {
namespace {

// Pairs of an output position and a kernel position that meet a source element, along one axis.
std::int64_t real_taps(int out, int kernel, int stride, int before, int size) {
  std::int64_t taps = 0;
  for (int o = 0; o < out; ++o) {
    for (int k = 0; k < kernel; ++k) {
      const int at = o * stride - before + k;
      taps += at >= 0 && at < size ? 1 : 0;
    }
  }
  return taps;
}

// "<desc>" or "<desc> x3".
ShapeRow parse_row(const std::string& network, const std::string& line) {
  const std::size_t space = line.find(' ');
  ShapeRow row{network, parse_conv_desc(line.substr(0, space)), 1};
  if (space != std::string::npos) {
    const char *begin = line.data() + space + 2, *end = line.data() + line.size();
    const bool counted = line.compare(space, 2, " x") == 0;
    if (!counted || std::from_chars(begin, end, row.count).ptr != end || row.count < 1) {
      fail("shape file {}: expected 'SHAPE' or 'SHAPE x3', found '{}'", network, line);
    }
  }
  return row;
}

}  // namespace

std::filesystem::path shapes_folder() {
  if (const char* chosen = std::getenv("GPUEVAL_BENCH_SHAPES"); chosen != nullptr) return chosen;
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const std::filesystem::path beside = program.parent_path() / "shapes";
  return std::filesystem::is_directory(beside, ignored) ? beside : std::filesystem::path(GPUEVAL_BENCH_SHAPES);
}

std::vector<ShapeRow> load_shapes(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) {
    fail("{}: expected a folder of shape files (GPUEVAL_BENCH_SHAPES names it)", folder.string());
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<ShapeRow> rows;
  for (const auto& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      if (!line.empty() && line[0] != '#') rows.push_back(parse_row(file.stem().string(), line));
    }
  }
  return rows;
}

std::vector<ShapeRow> select_shapes(const std::vector<ShapeRow>& rows, const std::string& regex, int batch) {
  const Pattern pattern(regex);
  std::vector<ShapeRow> selected;
  for (ShapeRow row : rows) {
    if (regex.empty() ? row.network == "tiny" : !pattern.matches(row.network + "/" + to_string(row.desc))) continue;
    row.desc.n = batch;
    const auto same =
        std::find_if(selected.begin(), selected.end(), [&](const ShapeRow& s) { return s.desc == row.desc; });
    if (same == selected.end()) {
      selected.push_back(row);
    } else {
      same->network += "+" + row.network;
    }
  }
  if (selected.empty()) fail_usage("--shapes '{}': no shape of the {} known matches", regex, rows.size());
  return selected;
}

double operations(const ConvDesc& d) {
  const Window& w = d.window;
  const std::int64_t rows = real_taps(d.p(), w.kernel_h, w.stride_h, w.pad.top, d.h);
  const std::int64_t columns = real_taps(d.q(), w.kernel_w, w.stride_w, w.pad.left, d.w);
  return 2.0 * d.n * static_cast<double>(rows * columns) * d.k * (d.depthwise ? 1 : d.c);
}

double traffic_bytes(const ConvDesc& d, double src_size, double weight_size, double dst_size) {
  const double filters = d.depthwise ? 1 : d.k;
  return src_size * d.n * d.h * d.w * d.c + weight_size * filters * d.window.kernel_h * d.window.kernel_w * d.c +
         dst_size * static_cast<double>(d.output_pixels()) * d.k;
}

}  // namespace gpueval::bench
