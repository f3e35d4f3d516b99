// SPDX-License-Identifier: Apache-2.0
// Arrays of a NumPy archive, as numpy.savez wrote it.
#pragma once

#include <zip.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gpueval {

struct NpyArray {
  std::vector<int> shape;
  std::vector<float> values;  // of float32, float64, uint8 and integers; none of other types
};

template <typename T>
std::vector<float> npy_values(const std::string& bytes, std::size_t at) {
  std::vector<float> values((bytes.size() - at) / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + at + i * sizeof value, sizeof value);
    values[i] = static_cast<float>(value);
  }
  return values;
}

inline float from_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  const float value = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                    : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (half & 0x8000) != 0 ? -value : value;
}

inline NpyArray parse_npy(const std::string& bytes) {
  if (bytes.size() < 12 || bytes.compare(1, 5, "NUMPY") != 0) throw std::runtime_error("no NumPy array");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t at = 10 + byte(8) + 256 * byte(9);  // version 1
  const std::string header = bytes.substr(10, at - 10);
  NpyArray array;
  std::string text = header.substr(header.find("'shape': (") + 10);
  text.resize(text.find(')'));
  for (std::size_t i = 0; i < text.size();) {
    array.shape.push_back(std::stoi(text.substr(i)));
    i = std::min(text.find(',', i), text.size() - 1) + 1;
    while (i < text.size() && text[i] == ' ') ++i;
  }
  const auto is = [&](const char* type) { return header.find(type) != std::string::npos; };
  if (is("'<f4'")) array.values = npy_values<float>(bytes, at);
  if (is("'<f2'")) {
    for (std::size_t i = at; i + 1 < bytes.size(); i += 2) {
      array.values.push_back(from_half(static_cast<std::uint16_t>(byte(i) + 256 * byte(i + 1))));
    }
  }
  if (is("'<f8'")) array.values = npy_values<double>(bytes, at);
  if (is("'|u1'")) array.values = npy_values<std::uint8_t>(bytes, at);
  if (is("'<i8'")) array.values = npy_values<std::int64_t>(bytes, at);
  return array;
}

// What a zip file's entries hold, by name.
inline std::map<std::string, std::string> read_zip(const std::string& path) {
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &error);
  if (archive == nullptr) throw std::runtime_error(path + " is no zip file");
  std::map<std::string, std::string> entries;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t stat;
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
    std::string bytes(stat.size, '\0');
    zip_file_t* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    zip_fread(file, bytes.data(), bytes.size());
    zip_fclose(file);
    entries[stat.name] = std::move(bytes);
  }
  zip_close(archive);
  return entries;
}

// By name, without ".npy".
inline std::map<std::string, NpyArray> read_npz(const std::string& path) {
  std::map<std::string, NpyArray> arrays;
  for (const auto& [name, bytes] : read_zip(path)) arrays[name.substr(0, name.rfind('.'))] = parse_npy(bytes);
  return arrays;
}

}  // namespace gpueval
