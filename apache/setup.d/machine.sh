# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# machine.sh: what the machine needs before Apache is touched: free ports, Debian packages, the
# account of the WSGI daemon, directories, the certificate for unknown names.

# ---- ports ----------------------------------------------------------------------------------

check_port() { # NUMBER PROGRAM [SERVER...]: nobody may listen there but one of these servers
    port=$1 wanted=$2
    shift 2
    listener=$(port_pid "$port")
    [ -n "$listener" ] || return 0
    owner=$(program_of "$listener")
    for server in "$@"; do
        [ "$owner" != "$server" ] || return 0
    done
    fail port-in-use "port $port is taken by $owner (process $listener), but $wanted needs it" \
        "Stop $owner, or let it listen elsewhere, then run this again; docs/setup.md says more."
}

port_pid() { # NUMBER: prints the number of a process that listens there, nothing if there is none
    hex=$(printf '%04X' "$1")
    inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v port=":$hex\$" '$4 == "0A" && $2 ~ port { print $10; exit }')
    [ -n "$inode" ] || return 0
    socket=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1)
    process=${socket#/proc/}
    printf '%s\n' "${process%%/*}"
}

program_of() { # PROCESS
    cat "/proc/$1/comm" 2>/dev/null || echo 'an unknown program'
}

# ---- packages -------------------------------------------------------------------------------

install_packages() { # PACKAGE...
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        ok packages "all are installed"
        return
    fi
    command -v apt-get >/dev/null || fail no-apt \
        "this machine has no apt-get, and these packages of Debian are missing: $missing" \
        "Install what they hold by this system's own means; docs/setup.md has the list."
    [ -z "$demo" ] || note_packages
    heal_dpkg
    # shellcheck disable=SC2086 # words
    fetch_package_lists $missing
    say "      installing $(echo "$missing" | wc -w) packages and what they need, about a minute ..."
    # shellcheck disable=SC2086
    run_apt install --no-install-recommends $missing
    changed packages "installed ${missing% }"
}

missing_packages() { # PACKAGE...
    for package in "$@"; do
        is_installed "$package" || printf '%s ' "$package"
    done
}

is_installed() { # PACKAGE
    dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

heal_dpkg() { # an installation that was interrupted is finished first
    [ -n "$(dpkg --audit)" ] || return 0
    say '      finishing an interrupted installation of packages ...'
    DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>"$state/apt.log" 2>&1 </dev/null || :
    run_apt install --fix-broken
}

fetch_package_lists() { # PACKAGE...: only if apt does not know them all
    if ! knows_packages "$@"; then
        say '      fetching the lists of packages ...'
        run_apt update
    fi
    for package in "$@"; do
        knows_packages "$package" || fail package-unknown \
            "apt knows no package $package in this release" "$(package_remedy "$package")"
    done
}

knows_packages() { # PACKAGE...
    for package in "$@"; do
        LC_ALL=C apt-cache policy "$package" | grep -q '^  Candidate: [^(]' || return 1
    done
}

package_remedy() { # PACKAGE
    case $1 in
    pebble) echo 'The demo needs Debian 12, Ubuntu 23.04, or later. A real domain works without it.' ;;
    *) echo 'On Ubuntu, switch on the component "universe": add-apt-repository universe.' ;;
    esac
}

run_apt() { # COMMAND ARGUMENT...: apt-get, with its percentage on a terminal and its words in a log
    : >"$state/apt.percent"
    show_percentage "$state/apt.percent" &
    printer=$!
    result=0
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o APT::Keep-Downloaded-Packages=false -o APT::Status-Fd=3 \
        -o Dpkg::Options::=--force-confold "$@" \
        3>"$state/apt.percent" >>"$state/apt.log" 2>&1 </dev/null || result=$?
    kill "$printer" 2>/dev/null || :
    wait "$printer" 2>/dev/null || :
    ! on_a_terminal || printf '\r\033[K'
    if [ "$result" -ne 0 ]; then
        last_lines "$state/apt.log"
        fail packages-failed "apt-get $1 failed; all it said is in $state/apt.log" \
            "Repair what it names (network? disk? another apt?), then run this again."
    fi
}

show_percentage() { # FILE: follows what apt-get writes there, until it is killed or the run is gone
    on_a_terminal || return 0
    while kill -0 $$ 2>/dev/null; do
        tail -n 1 "$1" | awk -F: 'NF > 3 { printf "\r\033[K      %3d %%  %.60s", $3, $4 }'
        sleep 1
    done
}

# ---- account and directories ----------------------------------------------------------------

make_account() { # NAME COMMENT USER
    if getent passwd "$1" >/dev/null; then
        ok account "$1 is there"
        return
    fi
    undo_demo remove_account "$1"
    useradd --system --user-group --home-dir /nonexistent --no-create-home \
        --shell /usr/sbin/nologin --comment "$2" "$1"
    changed account "$1: a system account without login, for $3"
}

remove_account() { # NAME
    ! getent passwd "$1" >/dev/null || userdel "$1"
}

make_directories() {
    made=
    for directory in /var/lib/mtasts /var/lib/mtasts/policies /var/lib/mtasts/webroot \
        /var/lib/mtasts/webroot/.well-known /var/lib/mtasts/webroot/.well-known/acme-challenge \
        /usr/local/share/mtasts "$server_root/mtasts"; do
        make_directory "$directory"
    done
    if [ -n "$made" ]; then changed directories "made$made"; else ok directories "all are there"; fi
}

make_directory() { # PATH: for root to write, for everybody to read
    [ ! -d "$1" ] || return 0
    undo_demo remove "$1"
    install -d -m 0755 -o root -g root "$1"
    made="$made $1"
}

# ---- the certificate of the vhost for unknown names -----------------------------------------

make_unknown_host_certificate() {
    certificate=/var/lib/mtasts/unknown-host.pem key=/var/lib/mtasts/unknown-host.key
    if [ -s "$certificate" ] && [ -s "$key" ]; then
        ok 'own certificate' "$certificate is there"
        return
    fi
    undo_demo remove "$certificate"
    undo_demo remove "$key"
    # Nobody verifies it: it lets Apache end a TLS handshake for a name that it does not serve.
    openssl req -x509 -newkey rsa:2048 -nodes -days 36500 -subj /CN=unknown.invalid \
        -keyout "$key.part" -out "$certificate.part" 2>/dev/null
    chmod 0600 "$key.part"
    mv "$key.part" "$key"
    mv "$certificate.part" "$certificate"
    changed 'own certificate' "$certificate, self-signed, for names that are not served"
}
