#include "tests/autograd/declarations.h"

#include <regex>

namespace basin {
namespace {

/// Text without comments, preprocessor lines and the bodies of structs and enumerations.
std::string bare(std::string s) {
  s = std::regex_replace(s, std::regex("//[^\n]*"), "");
  s = std::regex_replace(s, std::regex("(^|\n)#[^\n]*"), "\n");
  s = std::regex_replace(s, std::regex("namespace basin \\{"), "");
  return std::regex_replace(s, std::regex("(struct|class|enum class) \\w+ \\{[^}]*(\\{\\}[^}]*)*\\};"), "");
}

std::string trimmed(const std::string& s) { return std::regex_replace(s, std::regex("^\\s+|\\s+$"), ""); }

/// "const Axes& axes = {}" -> "Axes".
std::string type_of(std::string parameter) {
  parameter = trimmed(parameter.substr(0, parameter.find('=')));
  parameter = std::regex_replace(parameter, std::regex("\\bconst\\b|[&*]"), " ");
  std::smatch match;
  parameter = trimmed(parameter);
  if (std::regex_match(parameter, match, std::regex("([\\w:]+)\\s+\\w+"))) return match[1];
  return parameter;
}

}  // namespace

std::vector<std::string> declared_functions(const std::string& source) {
  std::vector<std::string> found;
  const std::string text = bare(source);
  const std::regex declaration("[\\w:]+\\s+(operator\\s*[^\\s(]+|\\w+)\\s*\\(([^()]*)\\)\\s*;");
  for (std::sregex_iterator it(text.begin(), text.end(), declaration), end; it != end; ++it) {
    std::string parameters;
    const std::string list = (*it)[2];
    const std::regex one("[^,]+");
    for (std::sregex_iterator p(list.begin(), list.end(), one); p != end; ++p)
      parameters += (parameters.empty() ? "" : ", ") + type_of(p->str());
    found.push_back((*it)[1].str() + "(" + parameters + ")");
  }
  return found;
}

}  // namespace basin
