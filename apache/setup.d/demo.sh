# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# demo.sh: the whole set-up for example.test on loopback, and its removal.
#
# Pebble is the CA and dnsmasq the resolver; both listen on 127.0.0.1 only. $demo holds everything of
# theirs, certbot's directories and the journal, by which --demo --remove takes all changes back.

demo_dns=127.0.0.1:10053
demo_host=mta-sts.example.test

run_demo() {
    state=$demo
    [ -e "$demo/journal" ] || [ ! -e /var/lib/mtasts ] || fail demo-refused \
        'this machine is set up for real domains, which a demo must not disturb' \
        'Run the demo on another machine.'
    begin_journal "$demo"
    domains=example.test yes=--yes agree_tos=--agree-tos server=https://localhost:14000/dir
    mx_options='' resolver_option="--resolver $demo_dns"
    resolver_plugin_option="--mtasts-resolver $demo_dns" ca_option="--ca $demo/root.pem"
    set_up
    show_demo
}

start_demo() { # what stands in for DNS and the CA
    remember_packages
    start_dns
    start_ca
}

# ---- resolver and CA ------------------------------------------------------------------------

start_dns() {
    start_process dnsmasq 10053 dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= \
        --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --port=10053 --local=/#/ \
        --mx-host=example.test,mx.example.test,10 --host-record=mx.example.test,127.0.0.1 \
        --host-record="$demo_host,127.0.0.1" --caa-record="$demo_host,0,issue,pebble.letsencrypt.org"
}

start_ca() {
    make_ca
    if ! process_runs pebble; then
        rm -rf "$demo/letsencrypt/accounts" # a new Pebble knows no account
    fi
    start_process pebble 14000 env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
        setpriv --reuid=nobody --regid=nogroup --clear-groups pebble -config "$demo/ca/pebble.json" -dnsserver "$demo_dns"
    # each Pebble has a new root: the one that signed the certificate in use is kept
    { [ -s "$demo/root.pem" ] && [ -e "/etc/apache2/mtasts/$demo_host.conf" ]; } ||
        until_true fetch_root || fail demo-ca 'Pebble does not answer' "See $demo/pebble.log."
}

fetch_root() {
    curl -sf --cacert "$demo/ca/ca.pem" -o "$demo/root.pem" https://localhost:15000/roots/0
}

make_ca() { # the certificate of Pebble's own HTTPS address
    [ ! -s "$demo/ca/pebble.json" ] || return 0
    install -d -m 0755 "$demo/ca"
    (
        cd "$demo/ca"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 \
            -subj '/CN=mtasts demo, API CA' -addext keyUsage=critical,keyCertSign,cRLSign
        openssl req -newkey rsa:2048 -nodes -keyout api.key -out api.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >api.ext
        openssl x509 -req -in api.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out api.pem \
            -days 3650 -extfile api.ext
        chown nobody api.key
    ) >"$demo/ca.log" 2>&1 || fail demo-ca 'no certificate for Pebble could be made' "See $demo/ca.log."
    cat >"$demo/ca/pebble.json.part" <<END
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "$demo/ca/api.pem", "privateKey": "$demo/ca/api.key", "httpPort": 80,
  "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false}}
END
    mv "$demo/ca/pebble.json.part" "$demo/ca/pebble.json"
}

# ---- processes ------------------------------------------------------------------------------

start_process() { # NAME PORT COMMAND...
    name=$1 port=$2
    shift 2
    if process_runs "$name"; then
        ok "$name" 'runs'
        return
    fi
    check_port "$port" "$name"
    undo stop_process "$demo/$name.pid" "$name"
    # the shell writes down its own number and becomes the program
    # shellcheck disable=SC2016 # for the inner shell
    setsid sh -c 'echo $$ >"$0"; exec "$@"' "$demo/$name.pid" "$@" \
        >"$demo/$name.log" 2>&1 </dev/null &
    until_true process_listens || fail demo-process "$name does not start" "See $demo/$name.log."
    changed "$name" "started on 127.0.0.1:$port"
}

process_listens() {
    process_runs "$name" && [ "$(port_pid "$port")" = "$demo_pid" ]
}

process_runs() { # NAME: the process whose number was written down, not another one that got it later
    demo_pid=$(cat "$demo/$1.pid" 2>/dev/null) || return 1
    [ -n "$demo_pid" ] && [ "$(program_of "$demo_pid")" = "$1" ]
}

process_is_gone() { # NAME
    ! process_runs "$1"
}

stop_process() { # FILE NAME
    ! process_runs "$2" || kill "$demo_pid"
    until_true process_is_gone "$2" || fail demo-process "$2, process $demo_pid, does not end" 'End it.'
    rm -f "$1"
}

# ---- packages -------------------------------------------------------------------------------

note_packages() { # before apt runs: what is there already
    [ ! -e "$demo/packages-before" ] || return 0
    # what Debian's purge leaves behind, if it was not there before
    for path in /var/lib/apache2 /var/log/apache2 /run/apache2 /run/lock/apache2; do
        [ -e "$path" ] || undo remove "$path"
    done
    getent passwd dnsmasq >/dev/null || undo remove_account dnsmasq
    undo purge_packages "$demo/packages"
    installed_packages >"$demo/packages.part"
    mv "$demo/packages.part" "$demo/packages-before"
}

remember_packages() { # after apt ran: what it brought, also in a run that was interrupted
    [ -e "$demo/packages-before" ] || return 0
    installed_packages | LC_ALL=C comm -13 "$demo/packages-before" - >>"$demo/packages"
    rm "$demo/packages-before"
}

installed_packages() { # all of which anything is there
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^.[^n]. //p' | LC_ALL=C sort
}

purge_packages() { # FILE: those in it that are still there; none of them, if somebody has come to use one
    remember_packages
    heal_dpkg
    installed_packages >"$demo/packages-now"
    LC_ALL=C sort -u "$1" | LC_ALL=C comm -12 - "$demo/packages-now" >"$demo/packages-ours"
    [ -s "$demo/packages-ours" ] || return 0
    users="$(packages_that_need_ours)$(uses_of_ours)"
    if [ -n "$users" ]; then
        note packages "kept what the demo had installed, because it is used:$users"
        return
    fi
    say "      removing $(wc -l <"$demo/packages-ours") packages ..."
    # shellcheck disable=SC2046 # words
    run_apt purge $(cat "$demo/packages-ours")
}

packages_that_need_ours() { # whatever apt would take along
    sed 's/:.*//' "$demo/packages-ours" | LC_ALL=C sort >"$demo/packages-names"
    # shellcheck disable=SC2046
    LC_ALL=C apt-get -s purge $(cat "$demo/packages-ours") | sed -n 's/^Purg \([^ :]*\).*/\1/p' |
        LC_ALL=C sort | LC_ALL=C comm -13 "$demo/packages-names" - | sed 's/^/ /' | tr -d '\n'
}

uses_of_ours() { # what only those who run this machine can have added
    for path in /etc/apache2/sites-enabled/* /etc/letsencrypt/live/*; do
        case $path in
        *'*' | */000-default.conf | */README) ;;
        *) printf ' %s' "$path" ;;
        esac
    done
}

# ---- the end --------------------------------------------------------------------------------

show_demo() {
    title "What a sender gets (this is real: TLS, verified with Pebble's root):"
    set -- curl -sS -i --resolve "$demo_host:443:127.0.0.1" --cacert "$demo/root.pem" \
        "https://$demo_host/.well-known/mta-sts.txt"
    printf '$ %s\n' "$*"
    "$@" || fail demo-not-served 'curl did not get the policy' "See the logs in $demo."
    show_records example.test
    title 'To take all of this back:'
    say "  sudo $clone/apache/setup --demo --remove"
    [ "$changes" -gt 0 ] || title 'Nothing had to be changed.'
}

remove_demo() {
    state=$demo
    if [ ! -e "$demo/journal" ]; then
        ok demo 'is not on this machine'
        return
    fi
    journal=$demo/journal
    refuse_other_policies
    take_all_back
    rm -rf "$demo"
    changed demo 'removed; the machine is as it was'
}

refuse_other_policies() { # whoever made them needs what the demo has installed
    policies=$(find /var/lib/mtasts/policies -mindepth 1 -maxdepth 1 ! -name example.test 2>/dev/null) || :
    [ -z "$policies" ] || fail policies-in-use "there are policies of real domains: $policies" \
        'Move them away, remove the demo, and set the machine up for those domains.'
}
