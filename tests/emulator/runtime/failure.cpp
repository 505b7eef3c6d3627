#include "failure.h"

#include <cstdio>
#include <cstring>

namespace emu {
namespace {

Failure current;
bool failed = false;

const char* describe(State state) {
    switch (state) {
        case State::at_barrier: return "__syncthreads";
        case State::at_warp: return "a warp collective";
        case State::exited: return "its end";
        default: return "nothing";
    }
}

bool waits_like(const Thread& a, const Thread& b) {
    return a.state == b.state && a.site.line == b.site.line && strcmp(a.site.file, b.site.file) == 0;
}

bool first_of_its_group(unsigned number) {
    for (unsigned other = 0; other < number; ++other)
        if (waits_like(block.threads[other], block.threads[number])) return false;
    return true;
}

}  // namespace

Failure& failure() { return current; }
void clear_failure() { failed = false; }
bool has_failed() { return failed; }

void record_failure_list(const char* kind, Site site, const char* format, va_list values) {
    failed = true;
    snprintf(current.kind, sizeof current.kind, "%s", kind);
    snprintf(current.file, sizeof current.file, "%s", site.file);
    current.line = site.line;
    vsnprintf(current.message, sizeof current.message, format, values);
}

void record_failure(const char* kind, Site site, const char* format, ...) {
    va_list values;
    va_start(values, format);
    record_failure_list(kind, site, format, values);
    va_end(values);
}

ThreadName::ThreadName(const Thread& thread) {
    snprintf(text, sizeof text, "thread (%u, %u, %u) of block (%u, %u, %u)", thread.index.x, thread.index.y,
             thread.index.z, blockIdx.x, blockIdx.y, blockIdx.z);
}

void record_deadlock() {
    char text[900] = "";
    size_t length = 0;
    Site site;
    for (unsigned number = 0; number < block.size && length < sizeof text - 200; ++number) {
        const Thread& thread = block.threads[number];
        if (!first_of_its_group(number)) continue;
        if (thread.state != State::exited && !site.line) site = thread.site;
        length += static_cast<size_t>(snprintf(text + length, sizeof text - length, "; %s reached %s (line %d)",
                                               ThreadName(thread).text, describe(thread.state), thread.site.line));
    }
    record_failure("deadlock", site, "no thread can go on%s", text);
}

}  // namespace emu
