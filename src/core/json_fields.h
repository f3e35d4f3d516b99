// SPDX-License-Identifier: Apache-2.0
// The fields of a JSON object that somebody else may have written, with their types checked: each Error says in one
// sentence which field of which file is wrong, what it has to be and what it is.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gpueval {

class JsonFields {
 public:
  // file: for messages. place: where the object stands in it, "" or "corrections.conv1". Error if it is no object. The
  // JSON must outlive this.
  JsonFields(const nlohmann::json& json, std::string file, std::string place = "");

  const nlohmann::json& json() const { return json_; }
  bool has(std::string_view key) const;   // there, and not null
  bool null(std::string_view key) const;  // there, and null
  // Error that names the first field that is none of these.
  void only(std::initializer_list<std::string_view> keys) const;

  // Each of them has to be there and of that type.
  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  double number(std::string_view key) const;  // finite
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  std::vector<float> floats(std::string_view key) const;  // finite
  JsonFields object(std::string_view key) const;
  std::vector<JsonFields> objects(std::string_view key) const;  // of an array of objects
  std::vector<std::string> texts(std::string_view key) const;   // of an array of texts
  std::vector<std::string> keys() const;

  std::string where(std::string_view key) const;  // "field 'range.conv1'"
  [[noreturn]] void refuse(std::string_view key, const std::string& expected) const;

 private:
  const nlohmann::json& at(std::string_view key, const char* expected) const;

  const nlohmann::json& json_;
  std::string file_, place_;
};

// A number that a float can hold. Error otherwise; `what` begins the sentence.
float finite_float(const nlohmann::json& json, const std::string& what);

}  // namespace gpueval
