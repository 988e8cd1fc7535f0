# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# server.sh: our files in Apache's configuration, tested before Apache reads them.
#
# Two layouts are known by their directories: Debian's (sites-available, a2ensite) and httpd's
# (conf.d, where every *.conf counts). A file that an administrator has edited is kept; whether it
# was edited is seen by the checksum of what we put there last.

# ---- where things are -----------------------------------------------------------------------

find_layout() {
    if [ -d "$server_root/sites-available" ]; then
        layout=debian
        conf_directory=$server_root/conf-available
        site_directory=$server_root/sites-available
    elif [ -d "$server_root/conf.d" ]; then
        layout=httpd
        conf_directory=$server_root/conf.d
        site_directory=$server_root/conf.d
    else
        fail layout-unknown "$server_root has neither sites-available (Debian) nor conf.d (httpd)" \
            "Name Apache's directory with --server-root, and its program with --ctl."
    fi
}

check_apache() { # is it there, is its configuration good, is it the one that is meant?
    command -v "$ctl" >/dev/null || fail ctl-missing "there is no program $ctl" \
        "Name the program that controls Apache (apache2ctl, apachectl, httpd) with --ctl."
    change_is_open || configuration_is_good || {
        last_lines "$state/configtest.log"
        fail apache-broken "Apache's configuration fails its own test; nothing was changed in it" \
            'Repair what it names, then run this again.'
    }
    root=$("$ctl" -t -D DUMP_RUN_CFG 2>/dev/null | sed -n 's/^ServerRoot: "\(.*\)"/\1/p')
    [ -z "$root" ] || [ "$(readlink -f "$root")" = "$(readlink -f "$server_root")" ] ||
        fail ctl-elsewhere "$ctl controls the Apache of $root, not that of $server_root" \
            'Let --server-root and --ctl name the same Apache.'
    check_modules
}

check_modules() { # loaded, or ready to be switched on
    "$ctl" -t -D DUMP_MODULES >"$state/modules.log" 2>&1 || return 0 # an open change; tested below
    for module in alias ssl wsgi; do
        grep -q "^ ${module}_module " "$state/modules.log" ||
            [ -e "$server_root/mods-available/$module.load" ] || fail module-missing \
            "Apache has no module $module" "Install it, and let the files in $server_root load it."
    done
}

# ---- running, reloading ---------------------------------------------------------------------

apache_pid() { # prints the process id of the running Apache, nothing if none runs
    pid_file=$("$ctl" -t -D DUMP_RUN_CFG 2>/dev/null | sed -n 's/^PidFile: "\(.*\)"/\1/p')
    pid=$(cat "${pid_file:-/var/run/apache2/apache2.pid}" 2>/dev/null) || return 0
    ! kill -0 "$pid" 2>/dev/null || printf '%s\n' "$pid"
}

apache_runs() {
    [ -n "$(apache_pid)" ]
}

configuration_is_good() {
    "$ctl" -t >"$state/configtest.log" 2>&1
}

ensure_apache_runs() { # a fresh Apache is started; one that somebody stopped only after asking
    if ! apache_runs; then
        [ -e "$state/start-apache" ] || may_start_apache
        undo_demo stop_apache
        start_apache
        changed apache 'started'
    fi
    rm -f "$state/start-apache"
}

may_start_apache() {
    [ -z "$yes" ] || return 0
    may_ask || fail apache-stopped 'Apache is installed, but somebody stopped it' \
        'Start it, or add --yes to let apache/setup start it.'
    agreed 'Apache is installed but does not run. Start it?' || fail apache-stopped \
        'without a running Apache no certificate can be had' 'Start it, and run this again.'
}

start_apache() {
    if uses_systemd; then
        systemctl start apache2
    elif [ "${ctl##*/}" = httpd ]; then
        "$ctl" -k start
    else
        "$ctl" start
    fi >"$state/start.log" 2>&1 || :
    until_true apache_runs || {
        last_lines "$state/start.log"
        fail start-failed 'Apache does not start' \
            "See Apache's error log; when it starts, run this again."
    }
}

stop_apache() {
    pid=$(apache_pid)
    [ -n "$pid" ] || return 0
    if uses_systemd; then systemctl stop apache2; else kill "$pid"; fi
    until_true apache_is_gone || note apache "process $pid did not end"
}

apache_is_gone() {
    ! kill -0 "$pid" 2>/dev/null
}

uses_systemd() {
    [ -d /run/systemd/system ] && [ "$server_root" = /etc/apache2 ]
}

reload_if_running() { # graceful starts a stopped Apache, so look first; no request is lost in it
    pid=$(apache_pid)
    [ -z "$pid" ] || kill -USR1 "$pid"
}

until_true() { # COMMAND...: within ten seconds
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

# ---- our files ------------------------------------------------------------------------------

set_up_apache() {
    make_unknown_host_certificate
    place_files
    [ "$layout" = httpd ] || enable_all
    ! change_is_open || test_and_reload
    ensure_apache_runs
}

place_files() {
    placed='' edited=''
    place_file mtasts.wsgi /usr/local/share/mtasts/mtasts.wsgi
    place_file mtasts-tls.inc "$server_root/mtasts-tls.inc"
    place_file mtasts-pages.inc "$server_root/mtasts-pages.inc"
    [ "$layout" = debian ] || place_file setup.d/httpd.conf "$conf_directory/mtasts-httpd.conf"
    place_file mtasts.conf "$conf_directory/mtasts.conf"
    place_file zz-mtasts-80.conf "$site_directory/zz-mtasts-80.conf"
    place_file zz-mtasts-443.conf "$site_directory/zz-mtasts-443.conf"
    [ -z "$placed" ] || changed 'apache files' "wrote$placed"
    [ -z "$edited" ] || note 'apache files' \
        "kept what somebody edited; the new version is beside it, as .new:$edited"
    [ -n "$placed$edited" ] || ok 'apache files' 'all are in place'
}

place_file() { # NAME PATH
    if [ ! -e "$2" ]; then
        change_file remove "$1" "$2"
    elif cmp -s "$clone/apache/$1" "$2"; then
        remember_sum "$2"
        rm -f "$2.new"
    elif [ "$(sum_of "$2")" = "$(remembered_sum "$2")" ]; then
        change_file put_back "$1" "$2"
    elif cmp -s "$clone/apache/$1" "$2.new"; then
        edited="$edited $2"
    else
        undo remove "$2.new"
        write_file "$clone/apache/$1" "$2.new"
        edited="$edited $2" changes=$((changes + 1))
    fi
}

change_file() { # remove|put_back NAME PATH
    begin_change
    case $1 in
    remove) undo remove "$3" ;;
    put_back) keep_before "$3" ;;
    esac
    write_file "$clone/apache/$2" "$3"
    remember_sum "$3"
    placed="$placed $3"
}

write_file() { # FROM TO: whole or not at all
    install -m 0644 -o root -g root "$1" "$2.part"
    mv "$2.part" "$2"
}

sum_of() { # PATH
    sha256sum <"$1" | cut -c 1-64
}

remembered_sum() { # PATH
    cat "$state/sums/$(printf '%s' "$1" | tr / _)" 2>/dev/null || :
}

remember_sum() { # PATH
    mkdir -p "$state/sums"
    [ "$(sum_of "$1")" = "$(remembered_sum "$1")" ] ||
        sum_of "$1" >"$state/sums/$(printf '%s' "$1" | tr / _)"
}

# ---- switching them on (Debian's layout) ----------------------------------------------------

enable_all() {
    enabled=
    # in the order in which they need each other; a2enmod would switch on the first three by itself
    for module in setenvif mime socache_shmcb ssl alias http2 wsgi; do
        switch_on module "$module" mods load
    done
    switch_on conf mtasts conf conf
    switch_on site zz-mtasts-80 sites conf
    switch_on site zz-mtasts-443 sites conf
    if [ -n "$enabled" ]; then
        changed 'apache switches' "enabled$enabled"
    else
        ok 'apache switches' 'all are on'
    fi
}

switch_on() { # module|conf|site NAME DIRECTORY SUFFIX
    [ ! -e "$server_root/$3-enabled/$2.$4" ] || return 0
    [ -e "$server_root/$3-available/$2.$4" ] || return 0 # compiled in, see check_modules; or no http2
    begin_change
    undo "disable_$1" "$2"
    APACHE_CONFDIR=$server_root "a2en${1%ule}" -q "$2" >"$state/enable.log" 2>&1 || {
        last_lines "$state/enable.log"
        fail enable-failed "the $1 $2 could not be switched on" 'Repair what is named above.'
    }
    enabled="$enabled $2"
}

disable_again() { # module|conf|site NAME: and forget that it ever was on
    case $1 in
    module) set -- mod "$2" mods load ;;
    conf) set -- conf "$2" conf conf ;;
    site) set -- site "$2" sites conf ;;
    esac
    [ ! -L "$server_root/$3-enabled/$2.$4" ] ||
        APACHE_CONFDIR=$server_root "a2dis$1" -q -f -p "$2" >/dev/null 2>&1 || :
    rm -f "$server_root/$3-enabled/$2.$4"
}

# ---- test, then reload ----------------------------------------------------------------------

test_and_reload() {
    if ! configuration_is_good; then
        cp "$state/configtest.log" "$state/configtest.failed.log"
        take_change_back
        last_lines "$state/configtest.failed.log"
        fail configtest-failed "Apache refused the configuration with our files; they were taken out again" \
            "Apache's words are above and in $state/configtest.failed.log; after a repair run this again."
    fi
    reload_if_running
    keep_change
    ! apache_runs || ok apache 'tested the configuration and reloaded'
}
