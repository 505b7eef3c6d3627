// Where __shared__ variables live: one arena, filled with 0xFF before every block, with poisoned gaps between the
// variables for AddressSanitizer.
#pragma once

#include <cstddef>

#include "thread.h"

namespace emu {

// Sets aside `bytes` for the launch's `extern __shared__` array.
void reserve_dynamic_shared(size_t bytes);
void begin_shared_memory();
void end_shared_memory();

#ifdef EMU_ADDRESS
// What init_check.cpp asks and tells.
bool in_shared_memory(const void* address);
bool shared_bytes_written(const void* address, size_t size);
void note_shared_write(const void* address, size_t size);
#endif

}  // namespace emu
