// SPDX-License-Identifier: Apache-2.0
#include "io/data/annotated/coco_parser.h"

#include <fmt/format.h>

#include "gpueval/error.h"

namespace gpueval::data {

std::string CocoParser::where() const {
  if (section_ == Section::kNone) return file_;
  if (depth_ < 2) return fmt::format("{}: {}", file_, list_);
  return fmt::format("{}: {}[{}]", file_, list_, number_in_list_);
}

void CocoParser::refuse(const std::string& expected, const std::string& found) const {
  const std::string field = in_element() || in_box() ? fmt::format(": '{}'", key_) : "";
  fail("{}{}: expected {}, found {}", where(), field, expected, found);
}

bool CocoParser::key(std::string& name) {
  using enum Field;
  if (depth_ == 1) {
    list_ = name;
    section_ = name == "images"        ? Section::kImages
               : name == "annotations" ? Section::kAnnotations
               : name == "categories"  ? Section::kCategories
                                       : Section::kNone;
    if (section_ != Section::kNone && !lists_.insert(name).second) fail("{}: has two lists '{}'", file_, name);
  }
  if (section_ == Section::kNone || depth_ != 3) return true;
  struct Known {
    const char* name;
    Section section;
    Field field;
  };
  static constexpr Known kKnown[] = {
      {"id", Section::kImages, kId},          {"file_name", Section::kImages, kName},
      {"width", Section::kImages, kWidth},    {"height", Section::kImages, kHeight},
      {"id", Section::kCategories, kId},      {"name", Section::kCategories, kName},
      {"id", Section::kAnnotations, kId},     {"image_id", Section::kAnnotations, kImage},
      {"bbox", Section::kAnnotations, kBox},  {"category_id", Section::kAnnotations, kCategory},
      {"area", Section::kAnnotations, kArea}, {"iscrowd", Section::kAnnotations, kCrowd},
  };
  field_ = kNone;
  for (const Known& known : kKnown) {
    if (known.section == section_ && name == known.name) field_ = known.field;
  }
  if (field_ != kNone) key_ = name;
  return true;
}

// An object or a list begins, as a value of where the reading is.
void CocoParser::open(const char* found) {
  const bool object = *found == 'a' && found[1] == 'n';  // "an object"
  if (depth_ == 0 && !object) fail("{}: expected COCO's object of lists, found {}", file_, found);
  if (section_ != Section::kNone && depth_ == 1 && object) refuse("a list", found);
  if (in_list() && !object) refuse("an object", found);
  if (in_box()) refuse("four numbers", found);
  if (in_element() && (object || field_ != Field::kBox)) other(found);
  if (in_list()) {
    element_ = {};
    field_ = Field::kNone;
  }
  if (in_element()) element_.corners = 0;
  ++depth_;
}

bool CocoParser::start_object(std::size_t) {
  open("an object");
  return true;
}

bool CocoParser::start_array(std::size_t) {
  open("a list");
  if (depth_ == 2) number_in_list_ = 0;
  return true;
}

bool CocoParser::end_object() {
  --depth_;
  if (!in_list()) return true;
  add_element();
  ++number_in_list_;
  return true;
}

bool CocoParser::end_array() {
  if (in_box() && element_.corners != 4) refuse("four numbers", fmt::format("{} of them", element_.corners));
  --depth_;
  return true;
}

bool CocoParser::parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
  const std::string reason = error.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
  const auto end = reason.find("] ");
  fail("{}: expected JSON: {}", file_, end == std::string::npos ? reason : reason.substr(end + 2));
}

}  // namespace gpueval::data
