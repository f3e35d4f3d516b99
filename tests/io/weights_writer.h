// SPDX-License-Identifier: Apache-2.0
// Writes tiny HDF5 weight files as Keras's generations do, with the HDF5 C API alone.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/weights/hdf5_file.h"

namespace gpueval::testing_weights {

// A file in the test's own temporary folder.
class TempFile {
 public:
  explicit TempFile(const std::string& suffix)
      : path_(testing::TempDir() + "gpueval_" + testing::UnitTest::GetInstance()->current_test_info()->name() +
              suffix) {}
  ~TempFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

enum class Strings { kFixed, kVariable };

struct DatasetOptions {
  hid_t type = H5T_IEEE_F32LE;
  bool deflate = false;
  bool allocate = true;  // false: declared, never written
};

class Writer {
 public:
  explicit Writer(const std::string& path)
      : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose) {
    EXPECT_TRUE(file_);
  }
  hid_t id() const { return file_.get(); }

  void group(const std::string& path) const {
    const H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.get(), 1);
    const H5Handle made(H5Gcreate2(id(), path.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    EXPECT_TRUE(made) << path;
  }

  void strings(const std::string& object, const std::string& name, const std::vector<std::string>& values,
               Strings kind = Strings::kFixed) const {
    const auto count = static_cast<hsize_t>(values.size());
    const H5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    write_strings(object, name, values, kind, space);
  }
  void string(const std::string& object, const std::string& name, const std::string& value) const {
    const H5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    write_strings(object, name, {value}, Strings::kVariable, space);
  }
  // What h5py writes for an empty list: no strings, an empty array of doubles.
  void empty_list(const std::string& object, const std::string& name) const {
    const hsize_t none = 0;
    const H5Handle space(H5Screate_simple(1, &none, nullptr), H5Sclose);
    const H5Handle made(H5Acreate_by_name(id(), object.c_str(), name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT,
                                          H5P_DEFAULT, H5P_DEFAULT),
                        H5Aclose);
    EXPECT_TRUE(made);
  }

  void dataset(const std::string& path, const std::vector<hsize_t>& shape, const std::vector<float>& values,
               const DatasetOptions& options = {}) const {
    const H5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
    const H5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.get(), 1);
    const H5Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (options.deflate) {
      H5Pset_chunk(create.get(), static_cast<int>(shape.size()), shape.data());
      H5Pset_deflate(create.get(), 6);
    }
    const H5Handle made(
        H5Dcreate2(id(), path.c_str(), options.type, space.get(), links.get(), create.get(), H5P_DEFAULT), H5Dclose);
    EXPECT_TRUE(made) << path;
    if (options.allocate) {
      EXPECT_GE(H5Dwrite(made.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0) << path;
    }
  }

 private:
  void write_strings(const std::string& object, const std::string& name, const std::vector<std::string>& values,
                     Strings kind, const H5Handle& space) const {
    std::size_t size = 1;
    for (const std::string& value : values) size = std::max(size, value.size());
    const H5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), kind == Strings::kVariable ? H5T_VARIABLE : size);
    if (kind == Strings::kFixed) H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    const H5Handle made(H5Acreate_by_name(id(), object.c_str(), name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                          H5P_DEFAULT, H5P_DEFAULT),
                        H5Aclose);
    ASSERT_TRUE(made) << object << " " << name;
    std::vector<char> fixed(size * values.size(), '\0');
    std::vector<const char*> pointers;
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::copy(values[i].begin(), values[i].end(), fixed.begin() + static_cast<std::ptrdiff_t>(i * size));
      pointers.push_back(values[i].c_str());
    }
    const void* data = kind == Strings::kVariable ? static_cast<const void*>(pointers.data()) : fixed.data();
    EXPECT_GE(H5Awrite(made.get(), type.get(), data), 0);
  }

  H5Handle file_;
};

}  // namespace gpueval::testing_weights
