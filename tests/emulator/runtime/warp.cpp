// Shuffles, votes and __syncwarp.
//
// Lanes that name the same mask meet in a rendezvous. It is complete when every lane of the mask that has not exited
// is there. Only __syncwarp orders memory; shuffles and votes move values between registers.
#include <algorithm>

#include "collectives.h"
#include "failure.h"
#include "happens_before.h"
#include "waiting.h"

namespace emu {
namespace {

constexpr const char* divergence = "warp divergence";

struct Rendezvous {
    Collective kind;
    unsigned mask;
    unsigned arrived;
    Site site;
    Token* token;
    uint64_t values[warp_lanes];
    int sources[warp_lanes];
};

struct Warp {
    unsigned live = 0;
    unsigned open = 0;  // the first `open` entries wait for lanes
    Rendezvous rendezvous[warp_lanes];
    // Disjoint masks may synchronise at once: a pair of alternating tokens for each lowest lane.
    Token tokens[order_sets][warp_lanes][2];
    unsigned char phase[warp_lanes];
};

Warp warps[max_block_threads / warp_lanes];

Warp& warp_of(const Thread& thread) { return warps[thread.number / warp_lanes]; }
unsigned lane_of(const Thread& thread) { return thread.number % warp_lanes; }
Thread& thread_at(const Warp& warp, unsigned lane) {
    return block.threads[static_cast<unsigned>(&warp - warps) * warp_lanes + lane];
}

Token* next_token(Warp& warp, unsigned mask) {
    int lowest = __builtin_ctz(mask);
    return &warp.tokens[block.order_set][lowest][warp.phase[lowest] ^= 1];
}

Rendezvous& join(Warp& warp, Collective kind, unsigned mask, Site site) {
    for (unsigned i = 0; i < warp.open; ++i)
        if (warp.rendezvous[i].mask == mask) return warp.rendezvous[i];
    Rendezvous& opened = warp.rendezvous[warp.open++];
    opened.kind = kind;
    opened.mask = mask;
    opened.arrived = 0;
    opened.site = site;
    opened.token = next_token(warp, mask);
    return opened;
}

bool complete(const Warp& warp, const Rendezvous& meeting) { return !(meeting.mask & warp.live & ~meeting.arrived); }

uint64_t vote(const Rendezvous& meeting) {
    uint64_t ballot = 0;
    for (unsigned lane = 0; lane < warp_lanes; ++lane)
        if ((meeting.arrived >> lane & 1) && meeting.values[lane]) ballot |= uint64_t{1} << lane;
    return ballot;
}

uint64_t shuffled(const Warp& warp, const Rendezvous& meeting, unsigned lane) {
    int source = meeting.sources[lane];
    if (!(meeting.arrived >> source & 1))
        fail("shuffle from an inactive lane", meeting.site, "%s reads lane %d, which %s",
             ThreadName(thread_at(warp, lane)).text, source,
             meeting.mask >> source & 1 ? "has exited or does not exist" : "the mask does not name");
    return meeting.values[source];
}

// Gives every lane its result, makes the lanes runnable and closes the rendezvous.
void finish(Warp& warp, Rendezvous& meeting) {
    Thread* lanes[warp_lanes];
    unsigned count = 0;
    uint64_t ballot = meeting.kind == Collective::vote ? vote(meeting) : 0;
    for (unsigned rest = meeting.arrived; rest; rest &= rest - 1) {
        auto lane = static_cast<unsigned>(__builtin_ctz(rest));
        lanes[count] = &thread_at(warp, lane);
        lanes[count++]->result = meeting.kind == Collective::shuffle ? shuffled(warp, meeting, lane) : ballot;
    }
    Rendezvous& last = warp.rendezvous[--warp.open];
    if (&meeting != &last) meeting = last;
    release(lanes, count);
}

void require_same_collective(const Rendezvous& meeting, Collective kind, Site site) {
    if (meeting.kind != kind || meeting.site.line != site.line)
        fail(divergence, site, "%s is at line %d, but other lanes of its mask %08x wait at line %d",
             ThreadName(*block.current).text, site.line, meeting.mask, meeting.site.line);
}

}  // namespace

void reset_warps() {
    for (unsigned number = 0; number * warp_lanes < block.size; ++number) {
        unsigned lanes = std::min(block.size - number * warp_lanes, warp_lanes);
        warps[number].live = lanes == warp_lanes ? ~0u : (1u << lanes) - 1;
        warps[number].open = 0;
    }
}

void warp_on_exit(const Thread& thread) {
    Warp& warp = warp_of(thread);
    warp.live &= ~(1u << lane_of(thread));
    for (unsigned i = warp.open; i-- > 0;)
        if (complete(warp, warp.rendezvous[i])) finish(warp, warp.rendezvous[i]);
}

uint64_t warp_collective(Collective kind, unsigned mask, uint64_t value, int source, Site site) {
    Thread& self = *block.current;
    Warp& warp = warp_of(self);
    unsigned lane = lane_of(self);
    if (!(mask >> lane & 1))
        fail(divergence, site, "%s is not in the mask %08x that it names", ThreadName(self).text, mask);
    Rendezvous& meeting = join(warp, kind, mask, site);
    require_same_collective(meeting, kind, site);
    meeting.arrived |= 1u << lane;
    meeting.values[lane] = value;
    meeting.sources[lane] = source;
    Token* token = kind == Collective::syncwarp ? meeting.token : nullptr;
    if (token) publish(token);
    bool last = complete(warp, meeting);
    if (last) finish(warp, meeting);
    wait(last ? State::runnable : State::at_warp, site);
    if (token) observe(token);
    return self.result;
}

unsigned active_lanes() { return warp_of(*block.current).live; }

unsigned lane_index() { return lane_of(*block.current); }

void memory_fence() {
    static Token fences;
    observe(&fences);
    publish(&fences);
}

}  // namespace emu
