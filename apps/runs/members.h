// The members of an ensemble as files of a run: RUN/members/member-001.safetensors, ...
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/weights/identity.h"
#include "autograd/inventory.h"

namespace basin::apps {

/// Of member `number` = 1, 2, ...: RUN/members/member-001.safetensors.
std::string member_path(const std::string& run, std::int64_t number);

/// Writes the model as that member, atomically, with what is known of it; makes the directory. Save the
/// member before the checkpoint of its step: a member that a checkpoint counts is then always there. Errors:
/// those of save_weights(); OutputError.
void save_member(const std::string& run, std::int64_t number, const Entries& model,
                 const Identity& identity = {});

/// Cuts the members of a run back to the first `count`, those that its checkpoint counts: what a killed run
/// saved after it is removed, and will be written again. Errors: CheckpointError if one of the first `count`
/// is missing; OutputError.
void keep_members(const std::string& run, std::int64_t count);

/// The files of an ensemble in the order of their numbers; `directory` is a run or its members/. Errors:
/// CheckpointError: no such directory, no members, a number left out, a file of another name.
std::vector<std::string> list_members(const std::string& directory);

}  // namespace basin::apps
