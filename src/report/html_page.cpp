// SPDX-License-Identifier: Apache-2.0
#include "report/html_page.h"

#include <fmt/format.h>

#include "report/markup.h"

namespace gpueval {
namespace {

constexpr const char* kStyle = R"(
:root { --ink: #1c2330; --soft: #5d6779; --line: #dfe3ea; --paper: #ffffff; --back: #f4f6f9;
  --k0: #2563b8; --k1: #d9622b; --k2: #2e8b57; --k3: #8e4bb5; --k4: #b8860b; --k5: #c2385a; --k6: #16808f; --k7: #6b7280; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, Helvetica,
  Arial, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 0 0 12px; }
h3 { font-size: 14px; margin: 18px 0 6px; color: var(--soft); font-weight: 600; }
.sub { color: var(--soft); margin: 0 0 20px; }
.lead { font-size: 16px; margin: 4px 0; }
.warn { color: #a32020; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 18px 20px; margin: 16px 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
.l { text-align: left; }
tbody tr:hover { background: var(--back); }
p { margin: 6px 0; }
.note { color: var(--soft); font-size: 13.5px; }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 12px; fill: var(--ink); }
svg .title { fill: var(--soft); font-weight: 600; }
svg .mid { text-anchor: middle; }
svg .end { text-anchor: end; }
svg.bars text { font-size: 11px; }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.whisker { stroke-width: 1.6; fill: none; }
.soft { opacity: .4; }
.c0 { fill: var(--k0); } .c1 { fill: var(--k1); } .c2 { fill: var(--k2); } .c3 { fill: var(--k3); }
.c4 { fill: var(--k4); } .c5 { fill: var(--k5); } .c6 { fill: var(--k6); } .c7 { fill: var(--k7); }
.s0 { stroke: var(--k0); } .s1 { stroke: var(--k1); } .s2 { stroke: var(--k2); } .s3 { stroke: var(--k3); }
.s4 { stroke: var(--k4); } .s5 { stroke: var(--k5); } .s6 { stroke: var(--k6); } .s7 { stroke: var(--k7); }
.as0 * { fill: var(--k0); } .as1 * { fill: var(--k1); } .as2 * { fill: var(--k2); } .as3 * { fill: var(--k3); }
.as4 * { fill: var(--k4); } .as5 * { fill: var(--k5); } .as6 * { fill: var(--k6); } .as7 * { fill: var(--k7); }
.grey * { fill: var(--soft); }
.legend { font-size: 13px; } .legend span { display: inline-flex; align-items: center; gap: 4px; margin-right: 12px; }
.legend svg { width: 16px; height: 16px; }
figure { margin: 0; } figcaption { font-size: 13px; font-weight: 600; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 12px; }
.picture { margin: 0 0 16px; } .picture .box { fill: none; stroke-width: 2; } .picture .tag { font-size: 11px; }
.overlay { image-rendering: pixelated; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 0; font-size: 13.5px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--back); padding: 8px 10px;
  border-radius: 6px; display: block; overflow-wrap: anywhere; }
details summary { cursor: pointer; color: var(--k0); font-size: 13.5px; margin: 8px 0; }
@media print { body { background: none; } section { break-inside: avoid; } }
)";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escaped(title), kStyle, body);
}

std::string html_section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escaped(title), body);
}

std::string html_paragraph(const std::string& text, const char* css_class) {
  return fmt::format("<p class=\"{}\">{}</p>\n", css_class, escaped(text));
}

std::string html_warnings(const std::vector<std::string>& warnings) {
  std::string html;
  for (const std::string& warning : warnings) html += html_paragraph("WARNING: " + warning, "warn");
  return html;
}

std::string html_facts(const Facts& facts) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : facts) {
    if (!value.empty()) html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  }
  return html + "</dl>\n";
}

std::string html_environment(const ToolInfo& tool, const HostInfo& host, const std::string& device,
                             const std::string& command) {
  const Facts facts{{"Tool", fmt::format("gpu_eval {} ({})", tool.version, tool.revision)},
                    {"Processor", host.cpu},
                    {"Threads", fmt::format("{} of {} cores", host.threads, host.cores)},
                    {"Device", device},
                    {"System", host.os},
                    {"Compiler", host.compiler}};
  return html_section("Environment", html_facts(facts) + "<h3>Command</h3>\n<code>" + escaped(command) + "</code>\n");
}

}  // namespace gpueval
