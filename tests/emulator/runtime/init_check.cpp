// Under AddressSanitizer every load and store of a kernel is a call (asan-instrumentation-with-call-threshold=0), and
// the linker sends the calls here first (--wrap). Loads of shared memory must find bytes that the block has written.
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "shared_memory.h"

namespace emu {
namespace {

// "file:line" of the code at pc.
Site symbolize(void* pc) {
    static char text[600];
    __sanitizer_symbolize_pc(pc, "%s:%l", text, sizeof text);
    char* colon = strrchr(text, ':');
    if (!colon) return {"", 0};
    *colon = '\0';
    return {text, atoi(colon + 1)};
}

[[noreturn]] void report(const void* address, size_t size, Site site) {
    fail("uninitialised shared memory", site,
         "a thread reads %zu bytes at byte %zu of shared memory that no thread of the block has written", size,
         static_cast<size_t>(static_cast<const unsigned char*>(address) - shared_arena));
}

bool wrongly_read(const void* address, size_t size) {
    // What lies outside the variables is AddressSanitizer's to report.
    return in_shared_memory(address) && !__asan_region_is_poisoned(const_cast<void*>(address), size) &&
           !shared_bytes_written(address, size);
}

void on_load(const void* address, size_t size, void* pc) {
    if (wrongly_read(address, size)) report(address, size, symbolize(pc));
}

void on_store(const void* address, size_t size) {
    if (in_shared_memory(address) && !__asan_region_is_poisoned(const_cast<void*>(address), size))
        note_shared_write(address, size);
}

}  // namespace

void check_initialised(const void* address, size_t size, Site site) {
    if (wrongly_read(address, size)) report(address, size, site);
}

}  // namespace emu

// The return address is one past the call; one byte less lies in it.
#define EMU_CALLER (static_cast<char*>(__builtin_return_address(0)) - 1)

#define EMU_WRAP(SIZE)                                                                                                 \
    extern "C" void __real___asan_load##SIZE(const void* address);                                                     \
    extern "C" void __wrap___asan_load##SIZE(const void* address) {                                                    \
        emu::on_load(address, SIZE, EMU_CALLER);                                                                       \
        __real___asan_load##SIZE(address);                                                                             \
    }                                                                                                                  \
    extern "C" void __real___asan_store##SIZE(const void* address);                                                    \
    extern "C" void __wrap___asan_store##SIZE(const void* address) {                                                   \
        __real___asan_store##SIZE(address);                                                                            \
        emu::on_store(address, SIZE);                                                                                  \
    }

EMU_WRAP(1)
EMU_WRAP(2)
EMU_WRAP(4)
EMU_WRAP(8)
EMU_WRAP(16)

extern "C" void __real___asan_loadN(const void* address, size_t size);
extern "C" void __wrap___asan_loadN(const void* address, size_t size) {
    emu::on_load(address, size, EMU_CALLER);
    __real___asan_loadN(address, size);
}
extern "C" void __real___asan_storeN(const void* address, size_t size);
extern "C" void __wrap___asan_storeN(const void* address, size_t size) {
    __real___asan_storeN(address, size);
    emu::on_store(address, size);
}

// Copies of large structures are calls of these, which the compiler does not instrument.
extern "C" void* __real_memcpy(void* target, const void* source, size_t size);
extern "C" void* __wrap_memcpy(void* target, const void* source, size_t size) {
    emu::on_load(source, size, EMU_CALLER);
    __real_memcpy(target, source, size);
    emu::on_store(target, size);
    return target;
}
extern "C" void* __real_memmove(void* target, const void* source, size_t size);
extern "C" void* __wrap_memmove(void* target, const void* source, size_t size) {
    emu::on_load(source, size, EMU_CALLER);
    __real_memmove(target, source, size);
    emu::on_store(target, size);
    return target;
}
extern "C" void* __real_memset(void* target, int value, size_t size);
extern "C" void* __wrap_memset(void* target, int value, size_t size) {
    __real_memset(target, value, size);
    emu::on_store(target, size);
    return target;
}
