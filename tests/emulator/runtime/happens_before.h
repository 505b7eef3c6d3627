// What the race detector is told about order. Without it these do nothing.
//
// Switching fibers orders nothing. Order comes from barriers, __syncwarp and fences only: a thread publishes what it
// has done to a token before it waits, and observes the token when it goes on.
//
// Blocks that run one after another must not look ordered, or races between them would go unseen. But making fibers
// anew for every block takes most of a millisecond each. So there are two sets of fibers and tokens that blocks use in
// turn: nothing orders one set with the other, and the order of blocks is random.
#pragma once

#include "fiber.h"

#ifdef EMU_THREAD
#include <sanitizer/tsan_interface.h>
#endif

namespace emu {

constexpr unsigned order_sets = 2;

// A place whose address names an order.
struct Token {
    char address = 0;
};

#ifdef EMU_THREAD
constexpr bool race_detector = true;
inline void publish(Token* token) { __tsan_release(token); }
inline void observe(Token* token) { __tsan_acquire(token); }
inline void name_fiber(Fiber& fiber, const char* name) { __tsan_set_fiber_name(fiber.sanitizer_state, name); }
#else
constexpr bool race_detector = false;
inline void publish(Token*) {}
inline void observe(Token*) {}
inline void name_fiber(Fiber&, const char*) {}
#endif

// Published by every exiting thread, observed by the host after the launch.
extern Token launch_end;

}  // namespace emu
