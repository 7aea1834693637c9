# shellcheck shell=bash
#
# What the tests of early ends share beside lib.sh: torture.py.

# A wrapper would be what is killed, and each kill would cost its start.
[ -z "${TEST_WRAPPER-}" ] || skip_all 'what is killed is the program itself'

# readers N: so many subscribers of the demo's feed, their papers fetched.
readers() {
    local i
    READERS=$1
    cp "$DEMO"/*.xml "$T/feeds/"
    for ((i = 1; i <= READERS; i++)); do
        printf '%s{ email = "reader%d@example.org"; categories = ["cs.CL"]; }\n' \
            "$([ "$i" -eq 1 ] || echo ,)" "$i"
    done | config
    rm -f "$T/plain.conf"
    new_state
    run 0 fetch
    rm -rf "$T/fetched"
    cp -a "$T/state" "$T/fetched"
    printf '%s\n' "${PROGRAM[@]}" >"$T/program"
}

# torture NAME: Python on stdin, with torture.py's names and N, how many
# readers there are, raises nothing. What it tells is shown.
torture() {
    local code
    code=$(cat)
    if printf 'from torture import *\nN = %d\n%s\n' "$READERS" "$code" |
        (cd "$T" && exec "$PYTHON" - "$1") >"$T/check" 2>&1; then
        grep '^#' "$T/check"
        pass "$1"
    else
        fail "$1" < <(cat "$T/check" &&
            echo "SEED=${SEED:-1}${TORTURE:+ TORTURE=1} draws the same")
    fi
}

# amount SHORT LONG
amount() {
    if [ -n "${TORTURE-}" ]; then echo "$2"; else echo "$1"; fi
}
