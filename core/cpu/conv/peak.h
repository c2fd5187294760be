// What this machine could do at best, measured now: kernels are judged by their share of it.
#pragma once

namespace basin::cpu {

/// f32 operations a second that all threads of the pool together reach with fused multiply-adds in registers
/// (a multiply-add is two), with the instruction set in use. Takes about a millisecond, so that it can be
/// measured in turns with what is compared with it.
double multiply_add_peak();

/// Bytes a second that all threads together move when they copy a block too large for the caches; each byte
/// read and each byte written counts. Takes some 10 ms.
double copy_bandwidth();

}  // namespace basin::cpu
