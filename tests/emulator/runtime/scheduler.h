// The threads of one block: which run, which wait, and for what.
#pragma once

#include <cstdint>

#include "fiber.h"
#include "random.h"
#include "thread.h"

namespace emu {

constexpr unsigned max_block_threads = 1024;
constexpr unsigned warp_lanes = 32;

enum class State : unsigned char { runnable, at_barrier, at_warp, exited };

struct Thread {
    Fiber* fiber;     // null until it has started
    uint3 index;
    unsigned number;  // linear index in the block
    State state;
    Site site;        // where it waits
    uint64_t result;  // of the warp collective it waited for
};

// The state of the block that runs now. One launch runs at a time in a process.
struct Block {
    Thread threads[max_block_threads];
    unsigned size = 0;
    unsigned live = 0;  // threads that have not exited
    unsigned order_set = 0;  // see happens_before.h
    Thread* current = nullptr;
    Entry entry = nullptr;
    const unsigned char* arguments = nullptr;
};

extern Block block;

void set_order(Order order, uint64_t seed);
// A permutation of [0, count), in the launch's order.
void arrange_blocks(uint32_t* blocks, uint32_t count);
// Runs block `blockIdx` to its end. Returns false when it failed; see failure().
bool run_block();

// The current thread stops here; it goes on when it is in the queue and its turn comes.
void wait(State state, Site site);
// Puts threads into the queue, in the launch's order.
void release(Thread** threads, unsigned count);

}  // namespace emu
