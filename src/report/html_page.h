// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gpueval/report.h"

namespace gpueval {

// A whole HTML file: head with the style sheet, `body` inside. Nothing is loaded from elsewhere.
std::string html_page(const std::string& title, const std::string& body);

std::string html_section(const std::string& title, const std::string& body);      // "" for an empty body
std::string html_paragraph(const std::string& text, const char* css_class = "");  // text is escaped
std::string html_warnings(const std::vector<std::string>& warnings);              // a paragraph "WARNING: ..." each
using Facts = std::vector<std::pair<std::string, std::string>>;
std::string html_facts(const Facts& facts);  // name and value, those with an empty value left out
std::string html_environment(const ToolInfo& tool, const HostInfo& host, const std::string& device,
                             const std::string& command);

}  // namespace gpueval
