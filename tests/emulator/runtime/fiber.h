// A fiber: a stack of its own, entered and left by a switch. The sanitizers are told of every switch.
#pragma once

#include <cstddef>

namespace emu {

struct Fiber {
    void* saved = nullptr;             // where its registers lie while it waits
    unsigned char* stack = nullptr;    // lowest byte; null for the host's own stack
    size_t size = 0;
    void (*entry)() = nullptr;
    void* sanitizer_state = nullptr;   // AddressSanitizer's fake stack, or ThreadSanitizer's fiber
};

// The entry must never return: it ends by switching away.
Fiber* create_fiber(void (*entry)());
void destroy_fiber(Fiber* fiber);
// Makes a record of the stack that the host runs on; once per launch.
void adopt_host_stack(Fiber& host);
void switch_fiber(Fiber& from, Fiber& to);
// False once the fiber has used more stack than it has.
bool stack_intact(const Fiber& fiber);

}  // namespace emu
