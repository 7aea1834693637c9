# shellcheck shell=bash
#
# Completes arxmail's commands, options and words in bash, as its --help says
# them: there is no other list of them.

_arxmail_command() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        # --config=FILE comes as three words.
        -c | --config) [[ ${COMP_WORDS[i + 1]} == '=' ]] || ((i++)) ;;
        =) ((i++)) ;;
        -*) ;;
        *)
            printf '%s\n' "${COMP_WORDS[i]}"
            return
            ;;
        esac
    done
}

# _arxmail_offer CURRENT WORDS: of those, separated by blanks or |.
_arxmail_offer() {
    mapfile -t COMPREPLY < <(compgen -W "${2//|/ }" -- "$1")
}

_arxmail_offer_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# _arxmail_offer_value CURRENT VALUE: what the usage says of it: FILE, a|b, N.
_arxmail_offer_value() {
    case $2 in
    *FILE*) _arxmail_offer_files "$1" ;;
    *) _arxmail_offer "$1" "$(grep -oE '[a-z|-]{2,}' <<<"$2")" ;;
    esac
}

# The services of a system are not on everybody's PATH.
_arxmail_help() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin "$@" --help 2>/dev/null
}

_arxmail() {
    local program=$1 cur=$2 prev=$3 command usage options
    COMPREPLY=()
    command=$(_arxmail_command)
    if [[ -z $command ]]; then
        case $prev,$cur in
        -c,* | --config,* | =,*) _arxmail_offer_files "$cur" ;;
        *,-*) _arxmail_offer "$cur" '-c --config --help --version' ;;
        *) _arxmail_offer "$cur" "$(_arxmail_help "$program" |
            sed -n 's/^  \([a-z-]*\)  *[A-Z].*/\1/p')" ;;
        esac
        return
    fi
    usage=$(_arxmail_help "$program" "$command" |
        sed -n "1s/.* $command *//p")
    options=$(grep -oE -- '--[a-z-]+' <<<"$usage")
    if [[ $prev == --* && $usage =~ "$prev "([^] ]+) ]]; then
        _arxmail_offer_value "$cur" "${BASH_REMATCH[1]}"
    elif [[ $cur == -* ]]; then
        _arxmail_offer "$cur" "$options --help"
    else
        # shellcheck disable=SC2001
        _arxmail_offer_value "$cur" "$(sed 's/\[--[^]]*\]//g' <<<"$usage")"
    fi
}

complete -F _arxmail arxmail
