#include "tests/autograd/declarations.h"

#include <cctype>

namespace basin {
namespace {

bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }

/// Words and signs of C++ text; comments and preprocessor lines are skipped. "operator+" is one word.
std::vector<std::string> tokens(const std::string& s) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < s.size();) {
    if (s.compare(i, 2, "//") == 0 || s[i] == '#') {
      i = std::min(s.find('\n', i), s.size());
    } else if (std::isspace(static_cast<unsigned char>(s[i])) != 0) {
      ++i;
    } else if (in_name(s[i])) {
      std::size_t end = i;
      while (end < s.size() && in_name(s[end])) ++end;
      std::string word = s.substr(i, end - i);
      if (word == "operator") {
        const std::size_t open = s.find('(', end + 1);
        word += s.substr(end, open - end);
        end = open;
      }
      found.push_back(word);
      i = end;
    } else {
      found.push_back(std::string(1, s[i++]));
    }
  }
  return found;
}

/// The type of a parameter "const Axes & axes = { }": "Axes".
std::string type_of(const std::vector<std::string>& parameter) {
  for (const std::string& token : parameter)
    if (token != "const" && in_name(token[0])) return token;
  return "";
}

}  // namespace

std::vector<std::string> declared_functions(const std::string& source) {
  const std::vector<std::string> all = tokens(source);
  std::vector<std::string> found;
  int depth = 0;  // of braces: 1 is inside the namespace, deeper is inside a struct
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == "{") ++depth;
    if (all[i] == "}") --depth;
    if (depth != 1 || all[i] != "(" || i < 2 || !in_name(all[i - 2][0])) continue;
    std::string signature = all[i - 1] + "(";
    std::vector<std::string> parameter;
    for (int open = 1; open > 0 && ++i < all.size();) {  // to the matching parenthesis
      const std::string& token = all[i];
      open += (token == "(" || token == "{") - (token == ")" || token == "}");
      if (open > 1 || (open == 1 && token != ",")) {
        parameter.push_back(token);
        continue;
      }
      signature += type_of(parameter) + (open == 0 ? ")" : ", ");
      parameter.clear();
    }
    found.push_back(signature);
  }
  return found;
}

}  // namespace basin
