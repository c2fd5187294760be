// Another stack to run on, and the switch between two of them.
#pragma once

#include <cstddef>

#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace emu {

/// A place to go on: its stack and registers.
#ifdef __x86_64__
struct Context {
  void* stack_pointer = nullptr;
};
#else
using Context = ucontext_t;
#endif

/// Makes `context` the start of entry() on a stack of its own. entry never returns.
void make_context(Context& context, char* stack, std::size_t bytes, void (*entry)());
/// Goes on in `to`; returns when somebody goes on in `from`.
void switch_context(Context& from, Context& to);

}  // namespace emu
