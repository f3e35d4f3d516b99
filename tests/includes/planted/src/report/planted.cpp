// SPDX-License-Identifier: Apache-2.0
bool is_emulated(const std::string& device) { return device == "emu"; }
