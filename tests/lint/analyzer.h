/*
 * Included before each file for the analyzers, which look at one file at a
 * time: what functions elsewhere always return.
 */

#include "base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
