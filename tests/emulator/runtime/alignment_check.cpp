// Builds without a sanitizer still check alignment and null pointers: the compiler's -fsanitize=alignment,null calls
// this function, which the sanitizer's library would otherwise provide. The layouts are that library's interface.
#include <cstdint>

#include "thread.h"

namespace {

struct SourceLocation {
    const char* file;
    uint32_t line;
    uint32_t column;
};

struct TypeDescriptor {
    uint16_t kind;
    uint16_t info;
    char name[1];
};

struct TypeMismatch {
    SourceLocation location;
    const TypeDescriptor* type;
    unsigned char log_alignment;
    unsigned char access;
};

}  // namespace

extern "C" EMU_HIDDEN void __ubsan_handle_type_mismatch_v1(const TypeMismatch* found, uintptr_t pointer) {
    emu::Site site{found->location.file, static_cast<int>(found->location.line)};
    if (!pointer) emu::fail("null pointer", site, "access to %s through a null pointer", found->type->name);
    emu::fail("misaligned access", site, "access to %s at an address that is not a multiple of %u: %#lx",
              found->type->name, 1u << found->log_alignment, static_cast<unsigned long>(pointer));
}

// The variant for code that may not go on afterwards; fail() never does.
extern "C" EMU_HIDDEN void __ubsan_handle_type_mismatch_v1_abort(const TypeMismatch* found, uintptr_t pointer) {
    __ubsan_handle_type_mismatch_v1(found, pointer);
}
