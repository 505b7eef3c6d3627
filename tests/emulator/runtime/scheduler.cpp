// Runs the threads of a block on as few stacks as they need.
//
// A worker fiber takes one thread after another. Only when a thread waits is its stack kept and another worker
// started: a kernel without barriers runs its whole grid on a single stack, without one switch. The race detector
// must see every CUDA thread of a block as a thread, so there each has a fiber of its own.
#include "scheduler.h"

#include <cstdarg>
#include <vector>

#include "failure.h"
#include "happens_before.h"
#include "shared_memory.h"
#include "waiting.h"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace emu {

Block block;

namespace {

// First in, first out. Never holds a thread twice.
struct Queue {
    Thread* items[max_block_threads];
    unsigned first = 0, end = 0;

    bool empty() const { return first == end; }
    void clear() { first = end = 0; }
    void push(Thread* thread) { items[end++ % max_block_threads] = thread; }
    Thread* front() const { return items[first % max_block_threads]; }
    Thread* pop() { return items[first++ % max_block_threads]; }
};

Queue queue;
Fiber host;
std::vector<Fiber*> workers;
std::vector<Fiber*> idle;
std::vector<Fiber*> own_fibers[order_sets];  // under the race detector
Thread* starting = nullptr;
Order order = Order::random;
Random generator(0);

void run_thread(Thread* thread, Fiber* fiber) {
    thread->fiber = fiber;
    block.current = thread;
    threadIdx = thread->index;
    block.entry(block.arguments);
    if (!stack_intact(*fiber)) fail("stack overflow", {}, "a thread uses more stack than the emulator gives it");
    thread->state = State::exited;
    --block.live;
    publish(&launch_end);
    barrier_on_exit(*thread);
    warp_on_exit(*thread);
    thread->fiber = nullptr;
}

void worker();

Fiber* idle_worker() {
    if (idle.empty()) {
        workers.push_back(create_fiber(worker));
        idle.push_back(workers.back());
    }
    return idle.back();
}

// Where to go from a stack that cannot go on. A worker takes its thread from the queue itself.
Fiber& next_fiber() {
    if (queue.empty()) return host;
    if (!queue.front()->fiber) return *idle_worker();
    starting = queue.pop();
    return *starting->fiber;
}

void worker() {
    for (;;) {
        Fiber* self = idle.back();
        idle.pop_back();
        while (!queue.empty() && !queue.front()->fiber) run_thread(queue.pop(), self);
        Fiber& next = next_fiber();
        idle.push_back(self);
        switch_fiber(*self, next);
    }
}

// Under the race detector: one thread after another, but never two of one block.
void own_fiber() {
    for (;;) {
        Fiber* self = starting->fiber;
        run_thread(starting, self);
        switch_fiber(*self, next_fiber());
    }
}

void discard(std::vector<Fiber*>& fibers) {
    for (Fiber* fiber : fibers) destroy_fiber(fiber);
    fibers.clear();
}

// The fibers of an abandoned block still hold its threads.
void discard_fibers() {
    discard(workers);
    idle.clear();
    for (auto& set : own_fibers) discard(set);
}

void give_own_fiber(Thread& thread) {
    std::vector<Fiber*>& set = own_fibers[block.order_set];
    if (set.size() <= thread.number) set.push_back(create_fiber(own_fiber));
    thread.fiber = set[thread.number];
    name_fiber(*thread.fiber, ThreadName(thread).text);
}

uint3 thread_index(unsigned number) {
    unsigned row = number / blockDim.x;
    return {number % blockDim.x, row % blockDim.y, row / blockDim.y};
}

void prepare_threads() {
    static Thread* everybody[max_block_threads];
    for (unsigned number = 0; number < block.size; ++number) {
        Thread& thread = block.threads[number];
        thread = {nullptr, thread_index(number), number, State::runnable, {}, 0};
        if (race_detector) give_own_fiber(thread);
        everybody[number] = &thread;
    }
    block.live = block.size;
    queue.clear();
    release(everybody, block.size);
}

}  // namespace

void set_order(Order chosen, uint64_t seed) {
    order = chosen;
    generator = Random(seed);
}

void arrange_blocks(uint32_t* blocks, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) blocks[i] = i;
    arrange(blocks, count, order, generator);
}

bool run_block() {
    block.order_set = (block.order_set + 1) % order_sets;
    begin_shared_memory();
    reset_barrier();
    reset_warps();
    prepare_threads();
    adopt_host_stack(host);
    switch_fiber(host, next_fiber());
    if (!has_failed() && block.live > 0) record_deadlock();
    if (has_failed()) discard_fibers();
    end_shared_memory();
    return !has_failed();
}

void wait(State state, Site site) {
    Thread* self = block.current;
    Fiber* fiber = self->fiber;
    self->state = state;
    self->site = site;
    Fiber& next = next_fiber();
    if (&next != fiber) switch_fiber(*fiber, next);
    self->state = State::runnable;
    block.current = self;
    threadIdx = self->index;
}

void release(Thread** threads, unsigned count) {
    arrange(threads, count, order, generator);
    for (unsigned i = 0; i < count; ++i) queue.push(threads[i]);
}

void fail(const char* kind, Site site, const char* format, ...) {
    va_list values;
    va_start(values, format);
    record_failure_list(kind, site, format, values);
    va_end(values);
    switch_fiber(*block.current->fiber, host);
    __builtin_unreachable();
}

}  // namespace emu
