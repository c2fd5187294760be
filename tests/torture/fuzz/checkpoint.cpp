// The metadata of a checkpoint: where a run stands.
#include "apps/runs/checkpoint.h"
#include "apps/training/run_state.h"
#include "core/io/json.h"
#include "tests/torture/fuzz/target.h"

void basin::fuzz::read(std::string_view bytes) {
  const apps::TrainingPosition position = apps::training_position(parse_json(bytes));
  expect(apps::to_json(apps::training_position(apps::to_json(position))) == apps::to_json(position),
         "a position that is written is the position that is read");
  apps::state_at(position);
}
