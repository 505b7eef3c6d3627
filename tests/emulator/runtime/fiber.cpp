#include "fiber.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pages.h"

#ifdef EMU_ADDRESS
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef EMU_THREAD
#include <sanitizer/tsan_interface.h>
#endif
#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace emu {
namespace {

// Instrumented code needs larger frames.
#if defined(EMU_ADDRESS) || defined(EMU_THREAD)
constexpr size_t stack_size = 256 * 1024;
#else
constexpr size_t stack_size = 64 * 1024;
#endif
// No guard pages: a thousand fibers in each of fifty modules would exhaust the process's memory mappings.
constexpr uint64_t canary = 0x5afe57ac5afe57acULL;

Fiber* entering = nullptr;
#ifdef EMU_ADDRESS
Fiber* left = nullptr;
#endif

void announce_switch([[maybe_unused]] Fiber& from, [[maybe_unused]] Fiber& to) {
#ifdef EMU_ADDRESS
    left = &from;
    __sanitizer_start_switch_fiber(&from.sanitizer_state, to.stack, to.size);
#endif
#ifdef EMU_THREAD
    __tsan_switch_to_fiber(to.sanitizer_state, __tsan_switch_to_fiber_no_sync);
#endif
}

void announce_arrival([[maybe_unused]] Fiber& here) {
#ifdef EMU_ADDRESS
    const void* bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(here.sanitizer_state, &bottom, &size);
    if (!left->stack) {  // the host's stack: now its extent is known
        left->stack = static_cast<unsigned char*>(const_cast<void*>(bottom));
        left->size = size;
    }
#endif
}

void enter() {
    Fiber* here = entering;
    announce_arrival(*here);
    here->entry();
    abort();
}

#ifdef __x86_64__

// Saves what a called function must preserve, changes stacks, restores: about two nanoseconds, where ucontext asks the
// kernel for the signal mask at every switch.
extern "C" void emu_swap_stacks(void** save, void* load);
asm(R"(
.text
.hidden emu_swap_stacks
.globl emu_swap_stacks
.type emu_swap_stacks, @function
emu_swap_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emu_swap_stacks, .-emu_swap_stacks
)");

void prepare(Fiber& fiber, size_t colour) {
    // Stacks lie at multiples of a large power of two; without different starts their tops share a few cache lines.
    auto top = reinterpret_cast<uintptr_t>(fiber.stack + fiber.size - colour) & ~uintptr_t{15};
    auto* frame = reinterpret_cast<void**>(top);
    frame[-1] = nullptr;  // the return address of enter(): a debugger's walk ends here
    frame[-2] = reinterpret_cast<void*>(&enter);
    for (int saved = 3; saved <= 8; ++saved) frame[-saved] = nullptr;
    fiber.saved = frame - 8;
}

void swap(Fiber& from, Fiber& to) { emu_swap_stacks(&from.saved, to.saved); }
void release_saved(Fiber&) {}

#else

void prepare(Fiber& fiber, size_t colour) {
    auto* context = new ucontext_t;
    getcontext(context);
    context->uc_stack.ss_sp = fiber.stack;
    context->uc_stack.ss_size = fiber.size - colour;
    context->uc_link = nullptr;
    makecontext(context, enter, 0);
    fiber.saved = context;
}

void swap(Fiber& from, Fiber& to) {
    if (!from.saved) from.saved = new ucontext_t;
    swapcontext(static_cast<ucontext_t*>(from.saved), static_cast<ucontext_t*>(to.saved));
}

void release_saved(Fiber& fiber) { delete static_cast<ucontext_t*>(fiber.saved); }

#endif

}  // namespace

Fiber* create_fiber(void (*entry)()) {
    static size_t created = 0;
    auto* fiber = new Fiber;
    fiber->stack = map_pages(stack_size);
    fiber->size = stack_size;
    fiber->entry = entry;
    memcpy(fiber->stack, &canary, sizeof canary);
    prepare(*fiber, created++ % 32 * 192);
#ifdef EMU_THREAD
    fiber->sanitizer_state = __tsan_create_fiber(0);
#endif
    return fiber;
}

void destroy_fiber(Fiber* fiber) {
#ifdef EMU_THREAD
    __tsan_destroy_fiber(fiber->sanitizer_state);
#endif
    release_saved(*fiber);
    unmap_pages(fiber->stack, fiber->size);
    delete fiber;
}

void adopt_host_stack([[maybe_unused]] Fiber& host) {
#ifdef EMU_THREAD
    host.sanitizer_state = __tsan_get_current_fiber();
#endif
}

void switch_fiber(Fiber& from, Fiber& to) {
    entering = &to;
    announce_switch(from, to);
    swap(from, to);
    announce_arrival(from);
}

bool stack_intact(const Fiber& fiber) { return memcmp(fiber.stack, &canary, sizeof canary) == 0; }

}  // namespace emu
