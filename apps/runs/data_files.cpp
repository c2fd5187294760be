#include "apps/runs/data_files.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/error.h"
#include "core/io/files.h"

namespace basin::apps {
namespace {

constexpr const char* kTitles = "part\tlabel\tbytes\tinode\tmodified_ns\tchanged_ns\tsha256\tpath";

std::string escaped(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

std::string plain(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool marked = line[i] == '\\' && i + 1 < line.size();
    out += !marked ? line[i] : line[++i] == 'n' ? '\n' : line[i];
  }
  return out;
}

std::tuple<std::string, std::string, std::int64_t> key_of(const DataFile& file) {
  return {file.part, file.path, file.label};
}

std::string named(const DataFile& file) {
  return file.path == "*" ? text("the ", file.part, " images") : text(file.part, ' ', file.path);
}

}  // namespace

DataFile whole_part(const std::string& part, const data::Dataset& set) {
  return {
      .part = part, .path = "*", .bytes = static_cast<std::uint64_t>(set.images.bytes()), .sum = set.hash};
}

void add_files(std::vector<DataFile>& files, const std::string& part, const data::ImageFolder& folder) {
  for (const data::ImageFile& file : folder.files)
    files.push_back({.part = part,
                     .path = file.path,
                     .label = file.label,
                     .bytes = file.bytes,
                     .stamp = file.stamp,
                     .sum = file.sum});
}

bool take_sums(const DataFiles& recorded, const std::string& part, data::ImageFolder& folder) {
  bool any = false;
  for (data::ImageFile& file : folder.files) {
    const auto known = recorded.find({part, file.path, file.label});
    if (known == recorded.end() || known->second.sum.empty()) continue;
    any = true;
    if (file.sum.empty() && known->second.bytes == file.bytes && known->second.stamp == file.stamp)
      file.sum = known->second.sum;
  }
  return any;
}

std::string to_text(const std::vector<DataFile>& files) {
  std::ostringstream out;
  out << kTitles << '\n';
  for (const DataFile& file : files)
    out << file.part << '\t' << file.label << '\t' << file.bytes << '\t' << file.stamp.inode << '\t'
        << file.stamp.modified << '\t' << file.stamp.changed << '\t' << (file.sum.empty() ? "-" : file.sum)
        << '\t' << escaped(file.path) << '\n';
  return out.str();
}

DataFiles read_data_files(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  DataFiles files;
  try {
    std::istringstream in(read_file(path));
    std::string line;
    if (!std::getline(in, line) || line != kTitles) return {};
    while (std::getline(in, line)) {
      std::istringstream cells(line);
      DataFile file;
      cells >> file.part >> file.label >> file.bytes >> file.stamp.inode >> file.stamp.modified >>
          file.stamp.changed >> file.sum;
      if (!cells || cells.get() != '\t') return {};
      std::getline(cells, file.path);
      file.path = plain(file.path);
      if (file.sum == "-") file.sum.clear();
      files.emplace(key_of(file), file);
    }
  } catch (const DataError&) {
    return {};
  }
  return files;
}

std::string difference(const DataFiles& recorded, const std::vector<DataFile>& now) {
  constexpr std::int64_t kShown = 3;
  std::int64_t found = 0;
  std::string list;
  const auto add = [&](const DataFile& file, const char* how) {
    if (found++ < kShown) list += text(found == 1 ? "" : ", ", named(file), ' ', how);
  };
  DataFiles rest = recorded;
  for (const DataFile& file : now) {
    const auto before = recorded.find(key_of(file));
    if (before == recorded.end()) {
      add(file, "is new");
      continue;
    }
    rest.erase(key_of(file));
    const std::string& sum = before->second.sum;
    if (before->second.bytes != file.bytes)
      add(file, "has another size");
    else if (!sum.empty() && !file.sum.empty() && sum != file.sum)
      add(file, file.path == "*" ? "are others" : "has other content");
  }
  for (const auto& [key, file] : rest) add(file, "is gone");
  if (found == 0) return "";
  return text(found, " of ", std::max(recorded.size(), now.size()), " differ: ", list,
              found > kShown ? ", ..." : "");
}

std::int64_t touched(const DataFiles& recorded, const std::vector<DataFile>& now) {
  return std::count_if(now.begin(), now.end(), [&](const DataFile& file) {
    const auto before = recorded.find(key_of(file));
    return before != recorded.end() && before->second.sum.empty() && before->second.stamp != file.stamp;
  });
}

}  // namespace basin::apps
