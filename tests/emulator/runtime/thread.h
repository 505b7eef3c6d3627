// What a kernel knows about itself: its place in the grid, its shared memory, and how it reports a mistake.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vector_types.h"

#define EMU_HIDDEN __attribute__((visibility("hidden")))
// Default arguments of these values are evaluated at the call: they name the line in the kernel.
#define EMU_SITE const char* file = __builtin_FILE(), int line = __builtin_LINE()

// Set by the scheduler before a thread runs or goes on.
EMU_HIDDEN extern uint3 threadIdx;
EMU_HIDDEN extern uint3 blockIdx;
EMU_HIDDEN extern dim3 blockDim;
EMU_HIDDEN extern dim3 gridDim;
constexpr int warpSize = 32;

namespace emu {

// A line of the source.
struct Site {
    const char* file = "";
    int line = 0;
};

// Ends the launch: every thread is abandoned and the launch returns this error.
[[noreturn]] EMU_HIDDEN void fail(const char* kind, Site site, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// One static __shared__ variable: where it lies in the arena.
struct SharedSlot {
    size_t offset = 0;
    size_t size = 0;
};

EMU_HIDDEN void allocate_shared(SharedSlot& slot, size_t size, size_t alignment);
EMU_HIDDEN extern unsigned char* shared_arena;

// One slot for each declaration (number) and, in a template, for each type.
template <class T, int number>
inline T& shared_variable(size_t alignment) {
    static SharedSlot slot;
    if (!slot.size) allocate_shared(slot, sizeof(T), alignment);
    return *reinterpret_cast<T*>(shared_arena + slot.offset);
}

// The launch's dynamic shared memory lies at the start of the arena.
template <class T>
inline T* dynamic_shared() {
    return reinterpret_cast<T*>(shared_arena);
}

// Under AddressSanitizer: reports a read of shared memory that this block has not written. Loads are checked by the
// compiler's instrumentation; atomics count as stores there, so they ask here.
#ifdef EMU_ADDRESS
EMU_HIDDEN void check_initialised(const void* address, size_t size, Site site);
#else
inline void check_initialised(const void*, size_t, Site) {}
#endif

// A kernel argument in the packed block: becomes whatever type the kernel's parameter has.
struct Argument {
    const unsigned char* slot;
    template <class T>
    operator T() const {
        T value;
        __builtin_memcpy(&value, slot, sizeof(T));
        return value;
    }
};

// What every thread runs; `arguments` is the packed block of kernel arguments.
using Entry = void (*)(const unsigned char* arguments);

// What a launch is given.
struct Kernel {
    Entry entry;
    unsigned max_threads;  // of __launch_bounds__
};

template <class... Rest>
constexpr unsigned first(unsigned value, Rest...) {
    return value;
}

}  // namespace emu

#define __trap() emu::fail("trap", {__builtin_FILE(), __builtin_LINE()}, "__trap()")

#undef assert
#define assert(condition)                                                                                              \
    ((condition) ? (void)0                                                                                             \
                 : emu::fail("assertion", {__builtin_FILE(), __builtin_LINE()}, "assert(%s) does not hold", #condition))
