// What a launch reports when it goes wrong. The layout is known to module.py.
#pragma once

#include <cstdarg>

#include "scheduler.h"

namespace emu {

struct Failure {
    char kind[64];
    char file[512];
    int line;
    char message[1024];
};

Failure& failure();
void clear_failure();
bool has_failed();
// Notes the failure and returns; fail() also abandons the threads.
void record_failure(const char* kind, Site site, const char* format, ...) __attribute__((format(printf, 3, 4)));
void record_failure_list(const char* kind, Site site, const char* format, va_list values);
// Nothing can run and some threads have not exited: says where each group of them waits.
void record_deadlock();

// "thread (1, 0, 0) of block (2, 0, 0)"
struct ThreadName {
    explicit ThreadName(const Thread& thread);
    char text[96];
};

}  // namespace emu
