// Memory straight from the system, for stacks and shared memory.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace emu {

// Not through mmap(): ThreadSanitizer replaces it and fills the shadow of every mapped page, which would take longer
// than everything else. It does see munmap(), and then forgets all accesses: that is what makes pages fresh again.
inline unsigned char* map_pages(size_t size) {
    long address = syscall(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == -1) {
        perror("emulator: mmap");
        abort();
    }
    return reinterpret_cast<unsigned char*>(address);
}

inline void unmap_pages(unsigned char* start, size_t size) { munmap(start, size); }

}  // namespace emu
