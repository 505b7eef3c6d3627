// What threads do together: block barriers, warp barriers, shuffles and votes.
#pragma once

#include <cstring>
#include <type_traits>

#include "thread.h"

namespace emu {

enum class Collective : unsigned char { syncwarp, shuffle, vote };

struct BarrierResult {
    int count;  // threads whose predicate held
    bool all;
};

EMU_HIDDEN BarrierResult block_barrier(bool predicate, Site site);
// Waits for every lane of the mask that has not exited; returns the value of lane `source` (shuffle), the lanes whose
// value is not zero (vote), or nothing of use.
EMU_HIDDEN uint64_t warp_collective(Collective kind, unsigned mask, uint64_t value, int source, Site site);
EMU_HIDDEN unsigned active_lanes();
EMU_HIDDEN unsigned lane_index();
// Gives the race detector the order that a fence gives memory.
EMU_HIDDEN void memory_fence();

template <class T>
inline T shuffle_from(unsigned mask, T value, int source, Site site) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>, "a shuffle moves at most eight bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    bits = warp_collective(Collective::shuffle, mask, bits, source, site);
    memcpy(&value, &bits, sizeof(T));
    return value;
}

// The first lane of the caller's segment of `width` lanes.
inline int segment_start(int width) { return static_cast<int>(lane_index()) & ~(width - 1); }

}  // namespace emu

inline void __syncthreads(EMU_SITE) { emu::block_barrier(false, {file, line}); }
inline int __syncthreads_count(int predicate, EMU_SITE) {
    return emu::block_barrier(predicate != 0, {file, line}).count;
}
inline int __syncthreads_and(int predicate, EMU_SITE) { return emu::block_barrier(predicate != 0, {file, line}).all; }
inline int __syncthreads_or(int predicate, EMU_SITE) {
    return emu::block_barrier(predicate != 0, {file, line}).count != 0;
}

inline void __syncwarp(unsigned mask = 0xffffffffu, EMU_SITE) {
    emu::warp_collective(emu::Collective::syncwarp, mask, 0, 0, {file, line});
}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, EMU_SITE) {
    return emu::shuffle_from(mask, value, emu::segment_start(width) + (source & (width - 1)), {file, line});
}

// Beyond the end of the segment a lane gets its own value back: CUDA's rule for up, down and xor.
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EMU_SITE) {
    int lane = static_cast<int>(emu::lane_index()), source = lane - static_cast<int>(delta);
    return emu::shuffle_from(mask, value, source < emu::segment_start(width) ? lane : source, {file, line});
}

template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, EMU_SITE) {
    int lane = static_cast<int>(emu::lane_index()), source = lane + static_cast<int>(delta);
    return emu::shuffle_from(mask, value, source >= emu::segment_start(width) + width ? lane : source, {file, line});
}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int flipped, int width = warpSize, EMU_SITE) {
    int lane = static_cast<int>(emu::lane_index()), source = lane ^ flipped;
    return emu::shuffle_from(mask, value, source >= emu::segment_start(width) + width ? lane : source, {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMU_SITE) {
    return static_cast<unsigned>(
        emu::warp_collective(emu::Collective::vote, mask, predicate != 0, 0, {file, line}));
}
inline int __any_sync(unsigned mask, int predicate, EMU_SITE) {
    return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMU_SITE) {
    return __ballot_sync(mask, !predicate, file, line) == 0;
}
inline unsigned __activemask() { return emu::active_lanes(); }

inline void __threadfence() { emu::memory_fence(); }
inline void __threadfence_block() { emu::memory_fence(); }
inline void __threadfence_system() { emu::memory_fence(); }
