// The way in: runs a grid.
#include <vector>

#include "failure.h"
#include "happens_before.h"
#include "scheduler.h"
#include "shared_memory.h"

#define EMU_EXPORT extern "C" __attribute__((visibility("default")))

namespace emu {
namespace {

void set_block(uint32_t number) {
    uint32_t row = number / gridDim.x;
    blockIdx = {number % gridDim.x, row % gridDim.y, row / gridDim.y};
}

bool fits(const Kernel& kernel) {
    if (block.size <= kernel.max_threads) return true;
    record_failure("launch bounds", {}, "a block of %u threads, but __launch_bounds__ promises at most %u", block.size,
                   kernel.max_threads);
    return false;
}

bool run_grid(uint32_t count) {
    static std::vector<uint32_t> blocks;
    blocks.resize(count);
    arrange_blocks(blocks.data(), count);
    for (uint32_t number : blocks) {
        set_block(number);
        if (!run_block()) return false;
    }
    return true;
}

}  // namespace
}  // namespace emu

// Returns 0, or 1 when `failure` says what went wrong. Not reentrant.
EMU_EXPORT int emu_launch(const emu::Kernel* kernel, const unsigned* grid, const unsigned* block,
                          unsigned long long shared_bytes, int order, unsigned long long seed,
                          const unsigned char* arguments, emu::Failure* failure) {
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    emu::block.size = block[0] * block[1] * block[2];
    emu::block.entry = kernel->entry;
    emu::block.arguments = arguments;
    emu::clear_failure();
    emu::set_order(static_cast<emu::Order>(order), seed);
    emu::reserve_dynamic_shared(shared_bytes);
    bool finished = emu::fits(*kernel) && emu::run_grid(grid[0] * grid[1] * grid[2]);
    emu::observe(&emu::launch_end);
    if (!finished) *failure = emu::failure();
    return finished ? 0 : 1;
}
