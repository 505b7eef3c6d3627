// A program that runs one launch, described in a file, and writes back what became of the memory.
//
// Every region of memory gets a buffer of exactly its size, so that AddressSanitizer sees the first byte beyond it,
// at the same distance from a 16-byte boundary as the original, so that misaligned heads stay what they are.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "failure.h"

#ifdef EMU_ADDRESS
#include <sanitizer/asan_interface.h>
#endif

extern "C" int emu_launch(const emu::Kernel* kernel, const unsigned* grid, const unsigned* block,
                          unsigned long long shared_bytes, int order, unsigned long long seed,
                          const unsigned char* arguments, emu::Failure* failure);

namespace {

[[noreturn]] void die(const char* what) {
    fprintf(stderr, "emulator runner: %s\n", what);
    exit(4);
}

// Reads the request: isolated.py writes it, in this order.
class Reader {
   public:
    explicit Reader(const char* path) : file_(fopen(path, "rb")) {
        if (!file_) die("cannot open the request");
    }
    ~Reader() { fclose(file_); }

    void bytes(void* target, size_t size) {
        if (size && fread(target, 1, size, file_) != size) die("the request is too short");
    }
    uint64_t number() {
        uint64_t value;
        bytes(&value, sizeof value);
        return value;
    }
    std::string text() {
        std::string value(number(), '\0');
        bytes(value.data(), value.size());
        return value;
    }

   private:
    FILE* file_;
};

struct Region {
    unsigned char* start;
    size_t size;
};

Region allocate(size_t size, size_t phase) {
    auto* block = static_cast<unsigned char*>(malloc(phase + size));
    if (!block) die("out of memory");
#ifdef EMU_ADDRESS
    __asan_poison_memory_region(block, phase);
#endif
    return {block + phase, size};
}

std::vector<Region> read_regions(Reader& request) {
    std::vector<Region> regions(request.number());
    for (Region& region : regions) {
        size_t size = request.number(), phase = request.number();
        region = allocate(size, phase);
        request.bytes(region.start, size);
    }
    return regions;
}

// Words that hold an address in the parent's memory get the address in ours.
void relocate(Reader& request, const std::vector<Region>& regions) {
    for (uint64_t count = request.number(); count > 0; --count) {
        uint64_t region = request.number(), offset = request.number();
        uint64_t target = request.number(), target_offset = request.number();
        unsigned char* address = regions[target].start + target_offset;
        __builtin_memcpy(regions[region].start + offset, &address, sizeof address);
    }
}

void write_regions(const char* path, const std::vector<Region>& regions) {
    FILE* file = fopen(path, "wb");
    if (!file) die("cannot write the result");
    for (const Region& region : regions) fwrite(region.start, 1, region.size, file);
    fclose(file);
}

}  // namespace

int main(int count, char** names) {
    if (count != 3) die("usage: runner REQUEST RESULT");
    Reader request(names[1]);
    std::string name = "emu_kernel_" + request.text();
    unsigned sizes[6];
    for (unsigned& size : sizes) size = static_cast<unsigned>(request.number());
    uint64_t shared = request.number(), order = request.number(), seed = request.number();
    std::vector<Region> regions = read_regions(request);
    relocate(request, regions);

    auto* kernel = static_cast<const emu::Kernel*>(dlsym(RTLD_DEFAULT, name.c_str()));
    if (!kernel) die("no such kernel");
    emu::Failure failure;
    if (emu_launch(kernel, sizes, sizes + 3, shared, static_cast<int>(order), seed, regions[0].start, &failure)) {
        fprintf(stderr, "\nEMULATOR\t%s\t%s\t%d\t%s\n", failure.kind, failure.file, failure.line, failure.message);
        return 3;
    }
    write_regions(names[2], regions);
    fflush(nullptr);
    // No destructors: the sanitizers have said all they had to say.
    _Exit(0);
}
