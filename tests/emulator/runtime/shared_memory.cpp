#include "shared_memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "happens_before.h"
#include "pages.h"

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

struct Extent {
    size_t offset;
    size_t size;
};

Extent dynamic_array{0, 0};
// No vector: the race detector would see it grow in one thread and then in another.
constexpr size_t most_variables = 1024;
Extent variables[most_variables];
size_t variable_count = 0;

#ifdef EMU_ADDRESS
bool written[arena_bytes];

void forget_writes(Extent part) { memset(written + part.offset, 0, part.size); }
void open(Extent part) { __asan_unpoison_memory_region(shared_arena + part.offset, part.size); }
void close(Extent part) { __asan_poison_memory_region(shared_arena + part.offset, part.size); }
#else
void forget_writes(Extent) {}
void open(Extent) {}
void close(Extent) {}
#endif

void fill(unsigned char* start, size_t size) {
    if (!race_detector) {
        memset(start, unwritten, size);
        return;
    }
    // The race detector would take memset for an access of the thread that happens to run.
    for (volatile unsigned char* byte = start; byte < start + size; ++byte) *byte = unwritten;
}

void spoil(Extent part) {
    fill(shared_arena + part.offset, part.size);
    forget_writes(part);
}

void map_arena() {
    shared_arena = map_pages(arena_bytes);
    close({0, arena_bytes});
}

// Aligned as asked and no better: a float array that is also read as float4 must fail here, as it may on a device.
Extent place(size_t size, size_t alignment) {
    size_t end = dynamic_bytes;
    if (variable_count) end = variables[variable_count - 1].offset + variables[variable_count - 1].size;
    return {(end + gap + 15) / 16 * 16 + (alignment < 16 ? alignment : 0), size};
}

}  // namespace

void allocate_shared(SharedSlot& slot, size_t size, size_t alignment) {
    Extent variable = place(size, alignment);
    if (variable.offset + size > arena_bytes || variable_count == most_variables)
        fail("shared memory", {}, "the module's shared variables exceed %zu bytes", arena_bytes - dynamic_bytes);
    variables[variable_count++] = variable;
    open(variable);
    spoil(variable);
    slot = {variable.offset, size};
}

void reserve_dynamic_shared(size_t bytes) {
    if (!shared_arena) map_arena();
    close(dynamic_array);
    dynamic_array.size = bytes;
    open(dynamic_array);
}

// The race detector remembers accesses by address. Fresh addresses keep one block's from looking like the last one's.
void begin_shared_memory() {
    if (race_detector) map_arena();
    spoil(dynamic_array);
    for (size_t i = 0; i < variable_count; ++i) spoil(variables[i]);
}

void end_shared_memory() {
    if (race_detector) unmap_pages(shared_arena, arena_bytes);
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
