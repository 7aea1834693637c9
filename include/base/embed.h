#pragma once

/*
 * A file of the project as bytes of the program:
 *
 *         EMBED(categories, "etc/categories");
 *         struct span text = EMBEDDED(categories);
 *
 * The path is relative to the project's root, where the compiler runs.
 */

#include "base/span.h"

#define EMBED(name, path)                              \
	__asm__(".pushsection .rodata\n"               \
	        "embedded_" #name                      \
	        ":\n"                                  \
	        ".incbin \"" path                      \
	        "\"\n"                                 \
	        "embedded_" #name                      \
	        "_end:\n"                              \
	        ".byte 0\n"                            \
	        ".popsection\n");                      \
	extern const char embedded_##name[]            \
		__attribute__((visibility("hidden"))); \
	extern const char embedded_##name##_end[]      \
		__attribute__((visibility("hidden")))

#define EMBEDDED(name)                  \
	((struct span){embedded_##name, \
	               (size_t)(embedded_##name##_end - embedded_##name)})
