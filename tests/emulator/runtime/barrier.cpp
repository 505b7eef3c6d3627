// __syncthreads and its relatives, and the detection of divergence.
#include <cstring>

#include "collectives.h"
#include "failure.h"
#include "happens_before.h"
#include "waiting.h"

namespace emu {

Token launch_end;

namespace {

constexpr const char* divergence = "barrier divergence";

struct Barrier {
    unsigned arrived = 0;
    // Barriers alternate between two phases. With one token for all, a thread that is already at the next barrier
    // would publish before a slow one observes this one, and a race between the two would go unseen.
    unsigned phase = 0;
    int holds[2] = {0, 0};
    Token tokens[order_sets][2];
    const Thread* first = nullptr;
};

Barrier barrier;
Thread* everybody[max_block_threads];

Token* token_of(unsigned phase) { return &barrier.tokens[block.order_set][phase]; }

bool same_line(Site a, Site b) { return a.line == b.line && strcmp(a.file, b.file) == 0; }

// CUDA wants every thread of the block at the very same barrier.
void require_convergence(Site site) {
    if (block.live < block.size)
        fail(divergence, site, "%s waits at line %d, but %u of %u threads have exited", ThreadName(*block.current).text,
             site.line, block.size - block.live, block.size);
    if (barrier.arrived && !same_line(barrier.first->site, site))
        fail(divergence, site, "%s waits at line %d, but %s waits at line %d", ThreadName(*block.current).text,
             site.line, ThreadName(*barrier.first).text, barrier.first->site.line);
}

void arrive(bool predicate, Site site) {
    require_convergence(site);
    if (barrier.arrived++ == 0) {
        barrier.first = block.current;
        barrier.holds[barrier.phase] = 0;
    }
    barrier.holds[barrier.phase] += predicate;
    publish(token_of(barrier.phase));
}

void open_barrier() {
    barrier.arrived = 0;
    barrier.phase ^= 1;
    for (unsigned number = 0; number < block.size; ++number) everybody[number] = &block.threads[number];
    release(everybody, block.size);
}

}  // namespace

void reset_barrier() {
    barrier.arrived = 0;
    barrier.phase = 0;
    barrier.first = nullptr;
}

void barrier_on_exit(const Thread& thread) {
    if (barrier.arrived)
        fail(divergence, barrier.first->site, "%s waits at line %d, but %s has exited", ThreadName(*barrier.first).text,
             barrier.first->site.line, ThreadName(thread).text);
}

BarrierResult block_barrier(bool predicate, Site site) {
    unsigned phase = barrier.phase;
    arrive(predicate, site);
    bool last = barrier.arrived == block.size;
    if (last) open_barrier();
    // The last to arrive queues like the others: it must not always be the first to go on.
    wait(last ? State::runnable : State::at_barrier, site);
    observe(token_of(phase));
    return {barrier.holds[phase], barrier.holds[phase] == static_cast<int>(block.size)};
}

}  // namespace emu
