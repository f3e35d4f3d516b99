// SPDX-License-Identifier: Apache-2.0
#include "support/data_files.h"

namespace gpueval {
namespace {

using test::error_of;

TEST(ClassMaps, AreAnIdentityButForWhatTheyName) {
  const ClassMap map = parse_class_map("15:1, 7 : 254");
  for (std::size_t i = 0; i < map.classes.size(); ++i) EXPECT_EQ(map.classes[i], i == 15 ? 1 : i == 7 ? 254 : i) << i;
  EXPECT_EQ(ClassMap{}.classes, ClassMap::identity());
}

TEST(ClassMaps, OtherIsWhatIsNotNamedWhereverItStands) {
  for (const char* text : {"15:1,255:void,other:0", "other:0,255:void,15:1"}) {
    const ClassMap map = parse_class_map(text);
    for (std::size_t i = 0; i < map.classes.size(); ++i)
      EXPECT_EQ(map.classes[i], i == 15 ? 1 : i == 255 ? LabelMap::kVoid : 0) << text << " " << i;
  }
  EXPECT_EQ(parse_class_map("other:void").classes[0], LabelMap::kVoid);
  EXPECT_EQ(parse_class_map("3:255").classes[3], LabelMap::kVoid);
}

TEST(ClassMaps, WhatIsNoneIsAUsageError) {
  for (const char* text : {"", "15", "15:", ":1", "15:1,", "256:1", "1:256", "-1:2", "1:-2", "1.5:1", "void:1", "a:1",
                           "1:b", "1:2:3", "other", "1:other", ",", "1:2;3:4"}) {
    try {
      parse_class_map(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_NE(std::string(error.what()).find("15:1,255:void,other:0"), std::string::npos) << error.what();
    }
  }
  EXPECT_NE(error_of([] { parse_class_map("1:2,x:3"); }).find("found 'x:3'"), std::string::npos);
  EXPECT_NE(error_of([] { parse_class_map("1:2,1:2"); }).find("found '1' twice"), std::string::npos);
  EXPECT_NE(error_of([] { parse_class_map("other:2,other:0"); }).find("found 'other' twice"), std::string::npos);
}

}  // namespace
}  // namespace gpueval
