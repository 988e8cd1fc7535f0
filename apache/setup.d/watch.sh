# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# watch.sh: the timer that tells what changes (docs/watch.md).
#
# It is switched on once, as packages of Debian do; who switches it off is not overruled. Not in the
# demo, whose domain only its own resolver knows.

units=/etc/systemd/system

install_watch() {
    [ -z "$demo" ] || return 0
    if ! command -v systemctl >/dev/null; then
        note watch "without systemd: let cron run 'mtasts watch', as docs/watch.md says"
        return
    fi
    make_account mtasts-watch 'MTA-STS watch' 'mtasts watch'
    place_units
    if [ -e "$state/watch-enabled" ]; then
        ok watch 'mtasts-watch.timer was switched on before'
        return
    fi
    control_units enable mtasts-watch.timer
    ! systemd_runs || control_units start mtasts-watch.timer
    : >"$state/watch-enabled"
    changed watch 'mtasts-watch.timer: the journal gets what changes; docs/watch.md says how to get it as mail'
}

place_units() {
    placed='' edited=''
    place_file mtasts-watch.service "$units/mtasts-watch.service"
    place_file mtasts-watch.timer "$units/mtasts-watch.timer"
    ! change_is_open || keep_change # nothing of Apache's
    [ -z "$edited" ] || note 'systemd units' \
        "kept what somebody edited; the new version is beside it, as .new:$edited"
    if [ -z "$placed" ]; then
        ok 'systemd units' 'all are in place'
        return
    fi
    changed 'systemd units' "wrote$placed"
    ! systemd_runs || control_units daemon-reload
}

systemd_runs() {
    [ -d /run/systemd/system ]
}

control_units() { # COMMAND [UNIT]
    systemctl -q "$@" >"$state/systemctl.log" 2>&1 || {
        last_lines "$state/systemctl.log"
        fail systemctl-failed "systemctl $* failed" 'Repair what it names, then run this again.'
    }
}
