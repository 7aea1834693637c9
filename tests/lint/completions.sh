#!/usr/bin/env bash
# Do the completions for bash and zsh offer each command, option and word that
# PROGRAM's --help has?
#
#     completions.sh PROGRAM
set -eu
cd "$(dirname "$0")/../.."
program=$1
. src/cli/arxmail.bash

# offer SHELL WORD...: what it offers for the last of the words, one a line.
offer() {
    local shell=$1
    shift
    if [ "$shell" = zsh ]; then
        zsh -f tests/lint/completions.zsh "$program" "$@" | tr -c 'a-z-' '\n'
        return
    fi
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    _arxmail "$program" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
    printf '%s\n' "${COMPREPLY[@]}"
}

failed=0

# compare WANTED WORD...: both offer all of WANTED, words with blanks between.
compare() {
    local shell missing
    for shell in bash zsh; do
        missing=$(comm -23 <(tr ' ' '\n' <<<"$1" | sort -u) \
            <(offer "$shell" "${@:2}" | sort -u) | xargs)
        [ -z "$missing" ] && continue
        echo "$shell: arxmail ${*:2}: does not offer $missing"
        failed=1
    done
}

commands=$("$program" --help | awk '/^  /{ print $1 }')
[ -n "$commands" ]
compare "$(xargs <<<"$commands")" ''
for command in $commands; do
    options=$("$program" "$command" --help | grep -oE -- '--[a-z-]+' | xargs)
    compare "--help $options" "$command" -
done
compare 'feeds smtp' check ''
compare 'html text markdown eml' preview --format ''
exit "$failed"
