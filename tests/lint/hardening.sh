#!/usr/bin/env bash
# hardening.sh PROGRAM: what protects a program when something goes wrong in it
# stands in the file itself.
set -euo pipefail

program=$1
status=0

# wants WHAT PATTERN READELF-OPTION...: a line of readelf's has the pattern.
wants() {
    local what=$1 pattern=$2
    shift 2
    readelf -W "$@" "$program" | grep -E -- "$pattern" >/dev/null && return
    echo "$program: no $what"
    status=1
}

# lacks WHAT PATTERN READELF-OPTION...: none has it.
lacks() {
    local what=$1 pattern=$2
    shift 2
    readelf -W "$@" "$program" | grep -E -- "$pattern" >/dev/null || return 0
    echo "$program: $what"
    status=1
}

wants 'position-independent code' 'Type: +DYN' -h
wants 'position-independent code' 'Flags:.*PIE' -d
wants 'read-only relocations' 'GNU_RELRO' -l
wants 'binding before it starts' 'FLAGS.*(BIND_NOW|NOW)' -d
wants 'stack protector' '__stack_chk_fail' --dyn-syms
wants 'fortified function' '__(memcpy|snprintf|vsnprintf|read)_chk' --dyn-syms
wants 'stack without execution' 'GNU_STACK .* RW ' -l
lacks 'code that is written to' 'LOAD .* RWE ' -l
lacks 'relocations in its code' 'TEXTREL' -d
lacks 'a path to libraries of its own' 'R(UN)?PATH' -d
# The property of the whole file needs a libc that has it, which Debian 12's has
# not; the instruction is where our functions begin.
if [ "$(uname -m)" = x86_64 ] && ! objdump -d "$program" |
        grep endbr64 >/dev/null; then
    echo "$program: no control-flow enforcement"
    status=1
fi
exit "$status"
