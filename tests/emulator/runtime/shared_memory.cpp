#include "shared_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "happens_before.h"

#ifdef EMU_ADDRESS
#include <sanitizer/asan_interface.h>
#endif

namespace emu {

unsigned char* shared_arena = nullptr;

namespace {

// More than any device has, for the static variables of every kernel of a module together.
constexpr size_t dynamic_bytes = 256 * 1024;
constexpr size_t arena_bytes = dynamic_bytes + 1024 * 1024;
constexpr size_t gap = 64;
// A float read before it is written is NaN; an index is -1.
constexpr int unwritten = 0xFF;

size_t dynamic_used = 0;
size_t static_end = dynamic_bytes;

#ifdef EMU_ADDRESS
bool written[arena_bytes];

void forget_writes(size_t offset, size_t size) { memset(written + offset, 0, size); }
void close_gaps() { __asan_poison_memory_region(shared_arena, arena_bytes); }
void open_gap(size_t offset, size_t size) { __asan_unpoison_memory_region(shared_arena + offset, size); }
void close_gap(size_t offset, size_t size) { __asan_poison_memory_region(shared_arena + offset, size); }
#else
void forget_writes(size_t, size_t) {}
void close_gaps() {}
void open_gap(size_t, size_t) {}
void close_gap(size_t, size_t) {}
#endif

void spoil(size_t offset, size_t size) {
    memset(shared_arena + offset, unwritten, size);
    forget_writes(offset, size);
}

void map_arena() {
    void* arena = mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) abort();
    shared_arena = static_cast<unsigned char*>(arena);
    close_gaps();
}

// Aligned as asked and no better: a float array that is also read as float4 must fail here, as it may on a device.
size_t place(size_t size, size_t alignment) {
    size_t offset = (static_end + gap + 15) / 16 * 16 + (alignment < 16 ? alignment : 0);
    static_end = offset + size;
    return offset;
}

}  // namespace

void allocate_shared(SharedSlot& slot, size_t size, size_t alignment) {
    slot.offset = place(size, alignment);
    slot.size = size;
    if (static_end > arena_bytes) fail("shared memory", {}, "the module's shared variables exceed %zu bytes", arena_bytes);
    open_gap(slot.offset, size);
    spoil(slot.offset, size);
}

void reserve_dynamic_shared(size_t bytes) {
    if (!shared_arena) map_arena();
    close_gap(0, dynamic_used);
    open_gap(0, bytes);
    dynamic_used = bytes;
}

// The race detector remembers accesses by address. Fresh addresses keep one block's from looking like the last one's.
void begin_shared_memory() {
    if (race_detector) map_arena();
    spoil(0, dynamic_used);
    memset(shared_arena + dynamic_bytes, unwritten, static_end - dynamic_bytes);
    forget_writes(dynamic_bytes, static_end - dynamic_bytes);
}

void end_shared_memory() {
    if (race_detector) munmap(shared_arena, arena_bytes);
}

#ifdef EMU_ADDRESS

bool in_shared_memory(const void* address) {
    return static_cast<size_t>(static_cast<const unsigned char*>(address) - shared_arena) < arena_bytes;
}

bool shared_bytes_written(const void* address, size_t size) {
    const bool* first = written + (static_cast<const unsigned char*>(address) - shared_arena);
    return std::all_of(first, first + size, [](bool byte) { return byte; });
}

void note_shared_write(const void* address, size_t size) {
    memset(written + (static_cast<const unsigned char*>(address) - shared_arena), 1, size);
}

#endif

}  // namespace emu
