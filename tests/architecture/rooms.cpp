// The arrows of the table are the whole dependency structure of Basin.
#include "tests/architecture/rooms.h"

#include <algorithm>
#include <sstream>

namespace basin::house {

const std::vector<Room>& rooms() {
  static const std::vector<Room> all = {
      {"apps", {"nn", "optim", "data", "cuda", "apps/commands"}},
      {"apps/options", {}},
      {"apps/cli", {"apps/options"}},
      {"apps/config", {"apps/options"}},
      {"apps/weights", {"apps/cli", "apps/config"}},
      {"apps/runs", {"apps/weights"}},
      {"apps/statistics", {}},
      {"apps/report", {"apps/runs", "apps/statistics"}},
      {"apps/report/page", {"apps/report"}},
      {"apps/evaluation", {"apps/runs"}},
      {"apps/training", {"apps/evaluation", "apps/report/page"}},
      {"apps/bench", {"apps/training"}},
      {"apps/lab", {"apps/training"}},
      {"apps/lab/curvature", {"apps/lab"}},
      {"apps/lab/sharpness", {"apps/lab"}},
      {"apps/lab/landscape", {"apps/lab/curvature"}},
      {"apps/lab/curve", {"apps/lab/landscape"}},
      {"apps/checkpoints", {"apps/training"}},
      {"apps/reproduce", {"apps/lab"}},
      {"apps/commands",
       {"apps/bench", "apps/lab/curve", "apps/lab/sharpness", "apps/reproduce", "apps/checkpoints"}},
      {"apps/examples", {}},
      {"nn", {"autograd"}},
      {"nn/models", {"nn"}},
      {"nn/onnx", {"nn"}},
      {"optim", {"autograd"}},
      {"optim/gradient", {"optim"}},
      {"optim/update", {"optim"}},
      {"optim/averages", {"optim"}},
      {"optim/schedule", {"optim"}},
      {"data", {"core"}},
      {"data/formats", {"data"}},
      {"data/augment", {"data"}},
      {"data/sets", {"data/formats"}},
      {"data/loading", {"data/sets", "data/augment"}},
      {"cuda", {"core", "cuda/kernels", "cuda/dnn", "cuda/runtime"}},
      {"cuda/kernels", {}},
      {"cuda/dnn", {}},
      {"cuda/runtime", {}},
      {"autograd", {"core"}},
      {"autograd/ops", {"autograd"}},
      {"autograd/curvature", {"autograd/ops"}},
      {"autograd/check", {"autograd/ops"}},
      {"core", {"core/functors"}},
      {"core/functors", {}},
      {"core/io", {"core"}},
      {"core/images", {"core"}},
      {"core/cpu", {"core/cpu/conv/winograd", "core/images"}},
      {"core/cpu/simd", {"core/io"}},
      {"core/cpu/memory", {"core"}},
      {"core/cpu/loops", {"core/cpu/simd", "core/cpu/memory"}},
      {"core/cpu/conv", {"core/cpu/loops"}},
      {"core/cpu/conv/winograd", {"core/cpu/conv"}},
  };
  return all;
}

const Room* find_room(std::string_view name) {
  for (const Room& room : rooms())
    if (room.name == name) return &room;
  return nullptr;
}

std::string_view top_of(std::string_view path) { return path.substr(0, path.find('/')); }

std::string_view folder_of(std::string_view path) {
  const std::string_view top = top_of(path);
  return path.find('/') == std::string_view::npos ? top : path.substr(0, path.rfind('/'));
}

bool outside(std::string_view folder) { return top_of(folder) == "tests" || top_of(folder) == "bench"; }

namespace {

/// Whether an arrow leads from one to the other, directly or over others.
bool leads(std::string_view from, std::string_view to) {
  if (from == to) return true;
  const Room* room = find_room(from);
  return room && std::any_of(room->arrows.begin(), room->arrows.end(),
                             [&](std::string_view next) { return leads(next, to); });
}

}  // namespace

bool may_include(std::string_view from, std::string_view to) {
  if (from == to || outside(from)) return true;
  const std::string_view from_top = top_of(from), to_top = top_of(to);
  return from_top == to_top ? leads(from, to) : leads(from_top, to_top);
}

std::string drawn_arrows() {
  std::ostringstream out;
  for (const Room& room : rooms()) {
    if (room.arrows.empty()) continue;
    out << (room.name.find('/') == std::string_view::npos ? "" : "  ") << room.name << " ->";
    for (std::size_t i = 0; i < room.arrows.size(); ++i) out << (i == 0 ? " " : ", ") << room.arrows[i];
    out << '\n';
  }
  return out.str();
}

std::map<std::string, std::vector<const Source*>> files_by_folder(const std::vector<Source>& sources) {
  std::map<std::string, std::vector<const Source*>> folders;
  for (const Source& source : sources) folders[std::string(folder_of(source.path))].push_back(&source);
  return folders;
}

}  // namespace basin::house
