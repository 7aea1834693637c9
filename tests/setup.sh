#!/bin/sh
# Installs the Debian packages that a job needs and that are not there:
#
#     setup.sh build|demo|screenshots|check|torture|lint|interop|bench|fuzz|deb|
#              boot-test|vm-test|ci
#
# Asks nothing. Where it cannot install, it says which packages to install.
set -eu

build='gcc libc6-dev make pkg-config libcurl4-openssl-dev libxml2-dev
       libconfig-dev libcmark-dev libsqlite3-dev libgmime-3.0-dev
       libjson-c-dev libsystemd-dev'
demo="$build python3 python3-aiosmtpd tzdata"
check="$demo libcmocka-dev perl openssl strace util-linux cmark-gfm
       libfaketime"
interop="$check postfix libsasl2-modules libsasl2-modules-db sasl2-bin mutt
         libmime-tools-perl
         spamassassin"
lint="$check clang clang-format clang-tidy cppcheck shellcheck mandoc
      libhyperscan-dev libpcre2-dev systemd
      dpkg-dev zsh"
deb="$build debhelper dpkg-dev"
boot="$deb perl python3 mmdebstrap systemd-container util-linux lintian"

case ${1-} in
build) wanted=$build ;;
demo) wanted=$demo ;;
screenshots) wanted="$demo chromium fonts-liberation fonts-noto-cjk pngquant" ;;
check | torture) wanted=$check ;;
interop) wanted=$interop ;;
lint) wanted=$lint ;;
bench) wanted="$check postfix libhyperscan-dev libpcre2-dev python3-markdown
       python3-feedparser" ;;
fuzz) wanted="$build clang libclang-rt-14-dev llvm-14 python3" ;;
deb) wanted=$deb ;;
boot-test) wanted=$boot ;;
vm-test) wanted="$boot qemu-system-x86 e2fsprogs" ;;
ci) wanted="$lint $interop $boot prometheus valgrind" ;;
*)
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
    ;;
esac

# The names of $wanted, one a line; not quoted, as the lists have line ends.
list_wanted() {
    # shellcheck disable=SC2086
    printf '%s\n' $wanted | sort -u
}

list_installed() {
    # shellcheck disable=SC2046
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' $(list_wanted) \
        2>/dev/null | sed -n 's/^installed //p' | sort -u
}

install_packages() {
    as_root=
    [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
    $as_root true || return 1
    # A Postfix for the tests needs none of its own that runs.
    case " $* " in *" postfix "*)
        echo "postfix postfix/main_mailer_type select No configuration" |
            $as_root debconf-set-selections
        ;;
    esac
    $as_root apt-get update -qq ||
        echo "setup: going on with the package lists that are there"
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@"
}

if ! command -v dpkg-query >/dev/null; then
    echo "setup: not a Debian system; what it takes goes by these names" \
        "there:" "$(list_wanted | tr '\n' ' ')" >&2
    exit 0
fi

missing=$({ list_wanted && list_installed; } | sort | uniq -u | xargs)
[ -n "$missing" ] || exit 0

echo "setup: installing $missing"
# shellcheck disable=SC2086
if ! said=$(install_packages $missing 2>&1); then
    printf '%s\n' "$said" >&2
    echo "setup: could not install these packages; please do it as root:" >&2
    echo "    apt-get install --no-install-recommends $missing" >&2
    exit 1
fi
