#include "apps/runs/members.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "apps/weights/weights.h"
#include "core/io/directory.h"
#include "core/io/files.h"
#include "core/io/utf8.h"

namespace basin::apps {
namespace {

constexpr std::string_view kPrefix = "member-", kSuffix = ".safetensors";

std::string directory_of(const std::string& run) { return run + "/members"; }

std::string member_name(std::int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 3) digits.insert(0, 3 - digits.size(), '0');
  return text(kPrefix, digits, kSuffix);
}

/// The number in "member-012.safetensors"; 0 for a name that member_name() does not give.
std::int64_t number_of(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
  std::int64_t number = 0;
  std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
  return number > 0 && member_name(number) == name ? number : 0;
}

FileKind kind_of(const std::string& path) {
  try {
    return kind_of_file(path);
  } catch (const ReadError& e) {
    throw CheckpointError("[ensemble] ", e.what());
  }
}

/// The numbers of the members in a directory, rising. Hidden files are those of writers that were killed.
std::vector<std::int64_t> numbers_in(const std::string& directory) {
  std::vector<std::string> names;
  try {
    names = list_directory(directory);
  } catch (const ReadError& e) {
    throw CheckpointError("[ensemble] ", e.what());
  }
  std::vector<std::int64_t> numbers;
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    const std::int64_t number = number_of(name);
    if (number == 0)
      throw CheckpointError("[ensemble] ", directory, " holds '", excerpt(name), "', which is no member (",
                            member_name(1), ", ...); move it away");
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// Checks that the first `count` of them are 1, 2, ..., count.
void expect_members(const std::string& directory, const std::vector<std::int64_t>& numbers,
                    std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    if (i >= std::ssize(numbers) || numbers[static_cast<std::size_t>(i)] != i + 1)
      throw CheckpointError("[ensemble] ", directory, " lacks ", member_name(i + 1), " of ", count,
                            " members");
}

}  // namespace

std::string member_path(const std::string& run, std::int64_t number) {
  if (number < 1) throw ArgumentError("[ensemble] members count from 1, got ", number);
  return directory_of(run) + '/' + member_name(number);
}

void save_member(const std::string& run, std::int64_t number, const Entries& model,
                 const Identity& identity) {
  const std::string path = member_path(run, number);
  make_directory(directory_of(run));
  save_weights(path, model, identity);
}

void keep_members(const std::string& run, std::int64_t count) {
  const std::string directory = directory_of(run);
  if (count == 0 && kind_of(directory) == FileKind::none) return;
  const std::vector<std::int64_t> numbers = numbers_in(directory);
  expect_members(directory, numbers, count);
  for (const std::int64_t number : numbers)
    if (number > count) remove_file(member_path(run, number));
}

std::vector<std::string> list_members(const std::string& directory) {
  const std::string of_run = directory_of(directory);
  const std::string where = kind_of(of_run) == FileKind::directory ? of_run : directory;
  const std::vector<std::int64_t> numbers = numbers_in(where);
  if (numbers.empty())
    throw CheckpointError("[ensemble] ", where, " has no members (", member_name(1), ", ...)");
  expect_members(where, numbers, numbers.back());
  std::vector<std::string> paths;
  for (const std::int64_t number : numbers) paths.push_back(where + '/' + member_name(number));
  return paths;
}

}  // namespace basin::apps
