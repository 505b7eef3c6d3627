// The two places where threads wait for each other, and what an exiting thread means to them.
#pragma once

#include "scheduler.h"

namespace emu {

// barrier.cpp
void reset_barrier();
void barrier_on_exit(const Thread& thread);

// warp.cpp
void reset_warps();
void warp_on_exit(const Thread& thread);

}  // namespace emu
