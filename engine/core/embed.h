#pragma once
// Files that travel inside the program.

#include <cstddef>
#include <string_view>

/// Copies a file (a string literal: its path) into the object, from symbol_begin to symbol_end. The build has
/// to know that the object depends on the file.
#define XFERRUN_EMBED(symbol, path)                                                          \
  asm(".pushsection .rodata\n.balign 16\n" #symbol "_begin:\n.incbin \"" path "\"\n" #symbol \
      "_end:\n.byte 0\n.popsection\n");                                                      \
  extern "C" {                                                                               \
  extern const char symbol##_begin[]; /* NOLINT(readability-identifier-naming) */            \
  extern const char symbol##_end[];   /* NOLINT(readability-identifier-naming) */            \
  }

/// The bytes of such a file.
#define XFERRUN_EMBEDDED(symbol) \
  std::string_view(symbol##_begin, static_cast<size_t>(symbol##_end - symbol##_begin))
